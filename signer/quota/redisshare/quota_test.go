package redisshare_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

// TestLeastQuotaCounts rolls a smaller quota out, and then a larger one: while
// replicas differ, nobody is granted more than the smaller one allows.
func TestLeastQuotaCounts(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		var text strings.Builder
		fleet := func(name string) *replica {
			share, err := redisshare.New(redisshare.Config{
				URL: "redis://store", Vault: "v", Guard: 1, Dial: store.Dialer(name), Log: slog.New(slog.NewTextHandler(&text, nil)),
			})
			if err != nil {
				t.Fatal(err)
			}
			return start(t, share)
		}
		a, b := fleet("a"), fleet("b")
		after(5 * time.Second)
		rates := func(want ...float64) {
			t.Helper()
			for i, r := range []*replica{a, b} {
				if g := r.ask(1); g.Rate != want[i] {
					t.Errorf("replica %d is granted a rate of %v, want %v", i, g.Rate, want[i])
				}
				after(time.Second)
			}
		}
		roll := func(r *replica, q quota.Units) {
			if err := r.SetQuota(q); err != nil {
				t.Fatal(err)
			}
		}
		rates(400, 400)
		roll(a, 400)
		for range 3 {
			rates(40, 40)
		}
		roll(b, 400)
		rates(40, 40)
		roll(a, 2000)
		for range 3 {
			rates(40, 40)
		}
		roll(b, 2000)
		after(2 * time.Second)
		rates(200, 200)
		if n := strings.Count(text.String(), "another replica has a smaller quota"); n != 2 || !strings.Contains(text.String(), "quota=4000 smallest=400") {
			t.Errorf("got %d lines of it, want one of each replica:\n%s", n, text.String())
		}
	})
}
