package worker_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	checker "github.com/signmill/signmill/worker/history"
)

var cutItems = flag.Int("cuts.items", 6000, "how many items TestConnectionChaos has signed")

// TestConnectionChaos cuts every connection of a producer and of a worker after
// 0.5 to 1.5 s, over and over. A bare loop of the client suffers the same beside
// them. Nothing is lost and nothing is seen twice.
func TestConnectionChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const items = 50
	p := newPlant(t, 24*time.Hour, 500)
	h := checker.New(checker.Config{Key: p.public, EndsOnce: true})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var crew sync.WaitGroup
	peace := make(chan struct{})
	end := sync.OnceFunc(func() { close(peace) })
	defer end()

	ours, bare := &watch{}, &watch{}
	proxy := &cutting{broker: p.broker, peace: peace, cut: ours.cut}
	p.employ(p.reach(proxy.listen(t)))
	p.config.Jobs = timed{observed{p.config.Jobs, h}, ours}
	drain := p.start()
	bareProxy := &cutting{broker: p.broker, peace: peace, cut: bare.cut}
	crew.Go(func() { p.bareChaos(ctx, bareProxy.listen(t), bare) })

	done := make(chan struct{})
	jobs, ended := *cutItems/items, 0
	crew.Go(func() {
		p.collect(ctx, func(d *queue.Delivery) {
			h.Reply(replyOf(d))
			if ended++; ended == jobs {
				close(done)
			}
		})
	})
	producer := &cutting{broker: p.broker, peace: peace}
	began := time.Now()
	p.produce(ctx, p.reach(producer.listen(t)), jobs, items, asking{h.Attempt, h.Accept})
	<-done
	took := time.Since(began)
	end()
	drain()
	stop()
	crew.Wait()

	p.leftOver(h)
	t.Logf("%d items in %s; %d connections of the worker reset, %d half open before, %d slow; %d of the producer reset",
		*cutItems, took.Round(time.Second), proxy.resets.Load(), proxy.silences.Load(), proxy.slow.Load(), producer.resets.Load())
	t.Logf("worker: %s", ours)
	t.Logf("bare client: %s", bare)
	p.judge(h)
}

// leftOver notes what the queues still hold.
func (p *plant) leftOver(h *checker.History) {
	p.t.Helper()
	for name, note := range map[string]func(*queue.Delivery){
		results: func(d *queue.Delivery) { h.Reply(replyOf(d)) },
		servicebus.DeadLetters(work): func(d *queue.Delivery) {
			reason, _ := d.Properties["DeadLetterReason"].(string)
			h.DeadLetter(d.ID, reason)
		},
	} {
		from := p.receiver(name)
		ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
		for got, err := from.Receive(ctx, 100); err == nil; got, err = from.Receive(ctx, 100) {
			for _, d := range got {
				note(d)
				p.must(d.Complete(p.t.Context()))
			}
		}
		cancel()
		p.must(from.Close(p.t.Context()))
	}
}

func (p *plant) judge(h *checker.History) {
	p.t.Helper()
	stats := p.vault.Stats()
	h.Sign(stats.Operations["sign"], stats.Dropped)
	report := h.Check()
	p.t.Log(report)
	if err := report.Err(); err != nil {
		p.t.Error(err)
	}
}

// watch measures the times from a reset to the next settlement, and to the
// settlement of each message that was held when the reset came.
type watch struct {
	taken atomic.Int64 // messages

	mu      sync.Mutex // guards the fields below
	settled int        // messages
	last    time.Time  // reset
	since   time.Time  // the first reset after the last settlement; zero: there was none
	next    []time.Duration
	held    []time.Duration
}

func (w *watch) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = time.Now()
	if w.since.IsZero() {
		w.since = w.last
	}
}

// settle counts a message that came at a time.
func (w *watch) settle(came time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled++
	if came.Before(w.last) {
		w.held = append(w.held, time.Since(w.last))
	}
	if !w.since.IsZero() {
		w.next = append(w.next, time.Since(w.since))
		w.since = time.Time{}
	}
}

// String tells the figures.
func (w *watch) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("settled %d of %d messages; from a reset to the next settlement %s; to the settlement of a message held then %s",
		w.settled, w.taken.Load(), percentiles(w.next), percentiles(w.held))
}

// percentiles gives the median and the 99th percentile.
func percentiles(times []time.Duration) string {
	if len(times) == 0 {
		return "never"
	}
	slices.Sort(times)
	at := func(part float64) time.Duration {
		return times[int(part*float64(len(times)-1))].Round(time.Millisecond)
	}
	return fmt.Sprintf("p50 %s, p99 %s, longest %s (%d times)", at(0.5), at(0.99), at(1), len(times))
}

// timed is a receiver whose settlements are watched.
type timed struct {
	queue.Receiver
	watch *watch
}

func (r timed) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	got, err := r.Receiver.Receive(ctx, limit)
	for i, d := range got {
		r.watch.taken.Add(1)
		got[i] = queue.NewDelivery(d.Message, d.Receipt, timedLock{d, r.watch, time.Now()})
	}
	return got, err
}

type timedLock struct {
	*queue.Delivery
	watch *watch
	came  time.Time
}

// Settle implements queue.Lock.
func (l timedLock) Settle(ctx context.Context, s queue.Settlement) (err error) {
	switch s.Outcome {
	case queue.Complete:
		err = l.Complete(ctx)
	case queue.DeadLetter:
		err = l.DeadLetter(ctx, s.Reason, s.Description)
	default:
		err = l.Abandon(ctx)
	}
	if err == nil {
		l.watch.settle(l.came)
	}
	return err
}

// bareChaos receives and completes with the client alone, as its examples do,
// until ctx ends. There are always messages.
func (p *plant) bareChaos(ctx context.Context, address string, w *watch) {
	fed := make(chan struct{})
	go func() { defer close(fed); p.feed(ctx, w) }()
	defer func() { <-fed }()
	client, err := azservicebus.NewClientFromConnectionString(connectionTo(address), nil)
	p.must(err)
	defer client.Close(context.WithoutCancel(ctx))
	from, err := client.NewReceiverForQueue("bare", nil)
	p.must(err)
	slots := make(chan struct{}, 64)
	var settling sync.WaitGroup
	defer settling.Wait()
	for ctx.Err() == nil {
		messages, _ := from.ReceiveMessages(ctx, 16, nil)
		for _, m := range messages {
			w.taken.Add(1)
			came := time.Now()
			slots <- struct{}{}
			settling.Go(func() {
				defer func() { <-slots }()
				if from.CompleteMessage(ctx, m, nil) == nil {
					w.settle(came)
				}
			})
		}
	}
}

// feed keeps some thousand messages on the queue of the bare client.
func (p *plant) feed(ctx context.Context, w *watch) {
	to, err := p.reach(p.broker).Sender("bare")
	p.must(err)
	batch := make([]queue.Message, 500)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for sent := int64(0); ctx.Err() == nil; {
		if sent > w.taken.Load()+2000 {
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
			continue
		}
		for i := range batch {
			batch[i] = queue.Message{ID: fmt.Sprint(sent + int64(i))}
		}
		if to.Send(ctx, batch...) == nil {
			sent += int64(len(batch))
		}
	}
}
