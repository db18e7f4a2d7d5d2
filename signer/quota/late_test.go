package quota_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

// departures are the times at which calls of 4 units left.
type departures struct {
	mu sync.Mutex // guards at
	at []time.Time
}

func (d *departures) add() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = append(d.at, time.Now())
}

// fullest returns the units in the fullest window of 10 s, and all.
func (d *departures) fullest() (most, all quota.Units) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := 0
	for i, at := range d.at {
		for at.Sub(d.at[first]) >= 10*time.Second {
			first++
		}
		most = max(most, quota.Units(4*(i-first+1)))
	}
	return most, quota.Units(4 * len(d.at))
}

// TestLateSlotsKeepToTheQuota: what delays replicas, be it answers of the store
// that are held up or a vault that hangs and takes all places in flight, never
// makes a window fuller than the quota. That time is lost.
func TestLateSlotsKeepToTheQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(1, 2))
		store := redistest.New(t, func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			if random.IntN(20) == 0 {
				return time.Duration(random.Int64N(int64(240 * time.Millisecond)))
			}
			return 3 * time.Millisecond
		})
		start, sent := time.Now(), &departures{}
		call := func() {
			sent.add()
			rest(20*time.Millisecond + max(0, time.Second-time.Since(start)%(14*time.Second)))
		}
		for i := range 3 {
			share, err := redisshare.New(redisshare.Config{URL: "redis://store", Vault: "late", Dial: store.Dialer(fmt.Sprint(i))})
			if err != nil {
				t.Fatal(err)
			}
			g, err := quota.New(quota.Config{Share: share, MaxInFlight: 8})
			if err != nil {
				t.Fatal(err)
			}
			defer share.Close()
			defer g.Close()
			defer busy(t, g, call)()
		}
		rest(3 * time.Minute)
		most, all := sent.fullest()
		t.Logf("%d units in the fullest window, %d in all", most, all)
		if most > quota.KeyUnits || all < 18*quota.KeyUnits/2 {
			t.Errorf("%d units in the fullest window and %d in 18 of them, want at most %d, and half of that on the average", most, all, quota.KeyUnits)
		}
	})
}
