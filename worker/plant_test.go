package worker_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	checker "github.com/signmill/signmill/worker/history"
)

// plant is a worker between a producer and a collector, over loopback and in
// real time. The vault is in memory.
type plant struct {
	*rig
	broker string // its address
	window chan struct{}
}

// work is the job queue of a plant.
const work = "work"

// newPlant opens the servers. At most window jobs are under way at once.
func newPlant(t testing.TB, duplicates time.Duration, window int) *plant {
	t.Helper()
	jobs := localbus.QueueProperties{LockDuration: 30 * time.Second, MaxDeliveryCount: 2000}
	once := localbus.QueueProperties{RequiresDuplicateDetect: true, DuplicateDetectionWindow: duplicates}
	p := &plant{window: make(chan struct{}, window)}
	p.rig = newRigOn(t, localbus.Config{Queues: []localbus.Queue{
		{Name: work, QueueProperties: jobs}, {Name: "bare", QueueProperties: jobs}, {Name: results, QueueProperties: once},
	}})
	p.broker = p.listen(p.bus.Serve)
	p.config.MaxDeliveries = 2000
	return p
}

// reach returns a client that finds the broker at an address.
func (p *plant) reach(address string) *servicebus.Client {
	p.t.Helper()
	client, err := servicebus.New(servicebus.Config{ConnectionString: connectionTo(address)})
	p.must(err)
	p.cleanup(client.Close)
	return client
}

func connectionTo(address string) string { return strings.Replace(emulator, "localhost", address, 1) }

// employ gives the worker a client of its own.
func (p *plant) employ(client *servicebus.Client) {
	p.t.Helper()
	jobs, err := client.Receiver(work)
	p.must(err)
	replies, err := client.Sender(results)
	p.must(err)
	p.config.Jobs, p.config.Replies, p.config.DefaultReply = jobs, map[string]queue.Sender{results: replies}, results
}

// asking is told what becomes of each job.
type asking struct {
	attempted func(schema.Job)
	accepted  func(id string)
}

// produce sends jobs until ctx ends or so many were sent, each until the broker
// has accepted it.
func (p *plant) produce(ctx context.Context, client *servicebus.Client, jobs, items int, s asking) {
	to, err := client.Sender(work)
	p.must(err)
	var lanes sync.WaitGroup
	next := make(chan int)
	for range 8 {
		lanes.Go(func() {
			for n := range next {
				j := job(fmt.Sprint(n), items)
				s.attempted(j)
				for to.Send(ctx, queue.Message{ID: j.ID, Body: p.encode(j)}) != nil && ctx.Err() == nil {
				}
				s.accepted(j.ID)
			}
		})
	}
	for n := range jobs {
		select {
		case p.window <- struct{}{}:
			next <- n
		case <-ctx.Done():
		}
	}
	close(next)
	lanes.Wait()
}

// collect takes replies until ctx ends. It reaches the broker directly. A reply
// whose settlement was not confirmed in time may come again, and is the same.
func (p *plant) collect(ctx context.Context, take func(*queue.Delivery)) {
	from, err := p.reach(p.broker).Receiver(results)
	p.must(err)
	settle, seen := context.WithoutCancel(ctx), map[int64]bool{}
	for {
		got, err := from.Receive(ctx, 200)
		if err != nil {
			return
		}
		var done sync.WaitGroup
		for _, d := range got {
			done.Go(func() { d.Complete(settle) }) //nolint:errcheck // see above
			if !seen[d.SequenceNumber] {
				seen[d.SequenceNumber] = true
				take(d)
				<-p.window
			}
		}
		done.Wait()
	}
}

// replyOf is how a history sees a delivery.
func replyOf(d *queue.Delivery) checker.Reply {
	return checker.Reply{ID: d.ID, CorrelationID: d.CorrelationID, Body: d.Body, EnqueuedAt: d.EnqueuedAt}
}
