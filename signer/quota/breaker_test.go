package quota

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// fail makes n calls that fail.
func fail(t *testing.T, b *Breaker, n int) {
	t.Helper()
	for range n {
		try, err := b.Enter()
		if err != nil {
			t.Fatal(err)
		}
		try.Leave(false)
	}
}

// open returns how long b refuses calls; zero: it does not.
func open(t *testing.T, b *Breaker) time.Duration {
	t.Helper()
	_, err := b.Enter()
	var wait *WaitError
	if err != nil && (!errors.Is(err, ErrOpen) || !errors.As(err, &wait)) {
		t.Fatal(err)
	}
	if wait == nil {
		return 0
	}
	return wait.Wait
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &Breaker{Failures: 3, Base: time.Second, Cap: 8 * time.Second, Random: rand.NewPCG(1, 1)}
		old, _ := b.Enter()
		fail(t, b, 2)
		if try, _ := b.Enter(); true {
			try.Leave(true)
		}
		fail(t, b, 2)
		if got := open(t, b); got != 0 {
			t.Fatalf("open for %v after two failures in a row", got)
		}
		fail(t, b, 1)
		for most := time.Second; most <= 16*time.Second; most *= 2 {
			wait := open(t, b)
			if wait <= 0 || wait > min(most, b.Cap) {
				t.Errorf("open for %v, want up to %v", wait, min(most, b.Cap))
			}
			old.Leave(true) // from before, says nothing
			<-time.After(wait)
			try, err := b.Enter()
			if err != nil {
				t.Fatalf("nobody may try: %v", err)
			}
			if open(t, b) == 0 {
				t.Error("two may try")
			}
			try.Leave(false)
		}
		<-time.After(open(t, b))
		try, _ := b.Enter()
		try.Leave(true)
		if got := open(t, b); got != 0 {
			t.Errorf("open for %v after a call that was answered", got)
		}
	})
}

// TestBreakerLostTry checks that a try without an end, or one that is given
// back, does not keep the breaker open.
func TestBreakerLostTry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &Breaker{}
		fail(t, b, 5)
		<-time.After(time.Second)
		lost, err := b.Enter()
		if err != nil {
			t.Fatal(err)
		}
		if got := open(t, b); got != 30*time.Second {
			t.Errorf("others wait %v for the one that tries, want 30s", got)
		}
		<-time.After(30 * time.Second)
		next, err := b.Enter()
		if err != nil {
			t.Fatalf("the lost try keeps it open: %v", err)
		}
		lost.Leave(true)
		if open(t, b) == 0 {
			t.Error("a try that came too late closed it")
		}
		next.Abandon()
		if _, err := b.Enter(); err != nil {
			t.Errorf("after a try was given back: %v", err)
		}
		Try{}.Leave(true)
		Try{}.Abandon()
	})
}
