package redisshare_test

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

func number(t *testing.T, store *redistest.Store, field string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(store.HGet(record, field), 64)
	if err != nil {
		t.Fatalf("%s: %v", field, err)
	}
	return x
}

func TestStoreDown(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b")
		store.SetDown(true)
		after(10 * time.Millisecond)
		if p := all[0].part(); p.Slots != nil || p.Replicas != 2 || p.Scale != 1 {
			t.Errorf("without a store the part is %+v, want half at scale 1", p)
		}
		after(time.Minute)
		store.SetDown(false)
		after(2500 * time.Millisecond)
		if p := all[0].part(); p.Slots == nil {
			t.Errorf("2.5 s after the store came back the part is %+v", p)
		}
	})
}

func TestNoStoreAtStart(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		store.SetDown(true)
		r := join(t, store, "a")
		after(time.Minute)
		if p := r.part(); p.Replicas != 0 {
			t.Errorf("a replica that knows nothing was told %+v", p)
		}
	})
}

// TestLostBeforeTheFirstAnswer: nobody has counted such a replica, and it knows no
// part to go on with.
func TestLostBeforeTheFirstAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		r := join(t, store, "a")
		after(time.Second)
		if p := r.part(); p.Slots == nil {
			t.Fatalf("with a store the part is %+v", p)
		}
		store.SetDown(true)
		after(time.Minute)
		if p := r.part(); p.Slots == nil {
			t.Errorf("a replica that was never counted was told %+v", p)
		}
		store.SetDown(false)
		after(2500 * time.Millisecond)
		if g := r.ask(1); g.Units != 2 {
			t.Errorf("once the store was back it got %+v", g)
		}
	})
}

// TestLossIsLoggedAgain: the first cause may be a slow answer, and a later one
// tell why.
func TestLossIsLoggedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		var text strings.Builder
		share, err := redisshare.New(redisshare.Config{
			URL: "redis://store", Vault: "v", Dial: store.Dialer("a"), Log: slog.New(slog.NewTextHandler(&text, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		store.SetDown(true)
		r := start(t, share)
		after(150 * time.Second)
		if got := strings.Count(text.String(), "nothing is sent to the vault until it can"); got != 3 {
			t.Errorf("got %d lines in 2.5 minutes, want 3:\n%s", got, text.String())
		}
		store.SetDown(false)
		after(8 * time.Second)
		r.ask(1)
		store.SetDown(true)
		after(time.Second)
		if got := strings.Count(text.String(), "is lost, and the last share is kept"); got != 1 {
			t.Errorf("got %d lines of the loss, want 1:\n%s", got, text.String())
		}
	})
}

func TestCutOff(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b")
		store.Sever("a")
		start := time.Now()
		if _, err := all[0].Ask(t.Context(), []quota.Units{2}, nil); err == nil {
			t.Error("an answer came from nowhere")
		}
		if took := time.Since(start); took > 501*time.Millisecond {
			t.Errorf("it took %s to give up", took)
		}
		after(time.Millisecond)
		if p := all[0].part(); p.Slots != nil || p.Replicas != 2 {
			t.Errorf("cut off, the part is %+v", p)
		}
		if p := all[1].part(); p.Slots == nil {
			t.Errorf("the other's part is %+v", p)
		}
	})
}

// TestDeafSubscription: without a question a replica still notices.
func TestDeafSubscription(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a")
		store.Sever("a")
		after(2100 * time.Millisecond)
		if p := all[0].part(); p.Slots != nil {
			t.Errorf("two pings later the part is %+v", p)
		}
	})
}

// TestComingBack: those that are back get their part of the rate, while the
// others may still send by themselves.
func TestComingBack(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b", "c", "d")
		store.SetDown(true)
		after(time.Minute)
		for _, name := range []string{"b", "c", "d"} {
			store.Sever(name)
		}
		store.SetDown(false)
		after(2500 * time.Millisecond)
		if g := all[0].ask(200); g.Rate < 99 || g.Rate > 101 {
			t.Errorf("one of four is back and gets %v units per second of 400", g.Rate)
		}
		store.Heal()
		after(3 * time.Second)
		for _, r := range all {
			r.ask(1)
		}
		if g := all[0].ask(200); g.Rate != 400 {
			t.Errorf("all four are back, and the rate is %v", g.Rate)
		}
	})
}

func TestRestartWithoutData(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a", "b")
		lower(t, all[0])
		all[1].ask(1)
		scale, epoch := number(t, store, "scale"), all[0].part().Epoch
		store.FlushAll()
		stranger := join(t, store, "c")
		after(time.Second)
		if g := stranger.ask(1); g.Units != 0 {
			t.Errorf("a stranger to a fresh record got %+v", g)
		}
		g := all[1].ask(1)
		if g.Units != 2 || g.Epoch <= epoch || g.Rate > 401*scale {
			t.Errorf("on a fresh record: %+v; epoch was %d, scale %v", g, epoch, scale)
		}
		if g := stranger.ask(1); g.Units != 2 {
			t.Errorf("once somebody remembered, the stranger got %+v", g)
		}
	})
}

// lower makes the record believe in less than the whole quota.
func lower(t *testing.T, r *replica) {
	t.Helper()
	for range 10 {
		g := r.ask(20)
		after(500 * time.Millisecond)
		refused := quota.Done{Result: quota.Result{Outcome: quota.Throttled}, Cost: 2, Age: 400 * time.Millisecond, Epoch: g.Epoch}
		if err := r.Report(t.Context(), []quota.Done{refused}); err != nil {
			t.Fatal(err)
		}
	}
	r.ask(1)
}

// TestOlderRecord: a failover or a backup may bring an earlier epoch, whose
// grants the gates would drop for ever.
func TestOlderRecord(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		all := settled(t, store, "a")
		known := all[0].part().Epoch
		store.HSet(record, "epoch", fmt.Sprint(known-5))
		if g := all[0].ask(1); g.Epoch <= known || g.Units != 2 {
			t.Errorf("a grant of %+v, and the replica knew epoch %d", g, known)
		}
	})
}

func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, store *redistest.Store) {
				r := settled(t, store, "a")[0]
				store.SetTime(time.Now().Add(jump))
				r.ask(1)
				for range 3 {
					after(time.Second)
					store.SetTime(time.Now().Add(jump))
					if g := r.ask(50); g.Units != 100 || g.After > 0 {
						t.Errorf("after a jump: %+v", g)
					}
				}
			})
		})
	}
}
