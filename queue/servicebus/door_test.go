package servicebus

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/signmill/signmill/queue"
)

// visitor counts how many calls are behind a door at once.
type visitor struct{ inside, most atomic.Int32 }

func (v *visitor) call(leave <-chan struct{}) func(context.Context) error {
	return func(context.Context) error {
		n := v.inside.Add(1)
		defer v.inside.Add(-1)
		for most := v.most.Load(); n > most && !v.most.CompareAndSwap(most, n); most = v.most.Load() {
		}
		<-leave
		return nil
	}
}

func TestDoorLetsOneInUntilItWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const calls = 10
		d, v, leave := newDoor(), &visitor{}, make(chan struct{})
		results := make(chan error, calls)
		for range calls {
			go func() { results <- d.pass(t.Context(), v.call(leave)) }()
		}
		synctest.Wait()
		if got := v.inside.Load(); got != 1 {
			t.Errorf("inside before the first success: got %d, want 1", got)
		}
		leave <- struct{}{}
		synctest.Wait()
		if got := v.inside.Load(); got != calls-1 {
			t.Errorf("inside after it: got %d, want %d", got, calls-1)
		}
		close(leave)
		for range calls {
			if err := <-results; err != nil {
				t.Errorf("got %v, want nil", err)
			}
		}
	})
}

func TestDoorLearns(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name   string
		ctx    context.Context
		before bool
		err    error
		after  bool
	}{
		{"success", t.Context(), true, nil, false},
		{"refusal of a working link", t.Context(), true, queue.ErrLockLost, false},
		{"failure", t.Context(), false, errors.New("connection is lost"), true},
		{"cancelled while it works", cancelled, false, context.Canceled, false},
		{"cancelled while it does not", cancelled, true, context.Canceled, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDoor()
			d.set(test.before)
			if err := d.learn(test.ctx, test.err); err != test.err {
				t.Errorf("got %v, want %v", err, test.err)
			}
			if got := d.isBroken(); got != test.after {
				t.Errorf("broken: got %v, want %v", got, test.after)
			}
		})
	}
}

func TestDoorWaitEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, v, leave := newDoor(), &visitor{}, make(chan struct{})
		first := make(chan error)
		go func() { first <- d.pass(t.Context(), v.call(leave)) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.pass(ctx, v.call(leave)); !errors.Is(err, context.Canceled) {
			t.Errorf("second: got %v, want canceled", err)
		}
		close(leave)
		if err := <-first; err != nil {
			t.Errorf("first: got %v, want nil", err)
		}
	})
}
