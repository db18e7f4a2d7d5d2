package servicebus

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
)

// TestPausesStayShortWhileJobsFlow cuts every connection once in a second for
// two minutes, while there is always something to receive and to settle.
func TestPausesStayShortWhileJobsFlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bus := startBus(t)
		c := &cutter{under: bus.dial}
		r := must(newClient(t, c.dial).Receiver(plainQueue))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		var crew sync.WaitGroup
		crew.Go(func() { feed(ctx, t, must(newClient(t, bus.dial).Sender(plainQueue))) })
		crew.Go(func() {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for ctx.Err() == nil {
				<-tick.C
				c.cut()
			}
		})
		longest, n := drink(ctx, r)
		crew.Wait()
		t.Logf("longest time between receipts: %v; %d received; %d connections", longest, n, c.dials())
		if longest > 3*time.Second {
			t.Errorf("longest time between receipts: got %v, want 3s at most", longest)
		}
	})
}

// feed keeps a queue filled until ctx ends.
func feed(ctx context.Context, t *testing.T, to queue.Sender) {
	for i := 0; ctx.Err() == nil; i++ {
		m := queue.Message{ID: fmt.Sprint(i)}
		if err := to.Send(context.WithoutCancel(ctx), m); err != nil {
			t.Errorf("send: got %v, want nil", err)
		}
		<-time.After(200 * time.Millisecond)
	}
}

// drink receives and settles, each message after 50 ms to a second, and holds 20
// at most.
func drink(ctx context.Context, r queue.Receiver) (longest time.Duration, n int) {
	var crew sync.WaitGroup
	defer crew.Wait()
	places := make(chan struct{}, 20)
	for {
		places <- struct{}{}
		asked := time.Now()
		got, err := r.Receive(ctx, 1)
		if err != nil {
			return longest, n
		}
		longest = max(longest, time.Since(asked))
		n++
		work := time.Duration(1+n%20) * 50 * time.Millisecond
		crew.Go(func() {
			defer func() { <-places }()
			<-time.After(work)
			_ = got[0].Complete(ctx) // what was lost comes again
		})
	}
}
