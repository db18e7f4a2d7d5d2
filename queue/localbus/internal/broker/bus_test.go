package broker_test

import (
	"slices"
	"testing"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// bus is a broker with one queue, for one test.
type bus struct {
	*testing.T
	*broker.Broker
	queue, dead, transfer *broker.Queue
}

// newBus makes a broker with a queue "jobs". It must be called in a bubble.
func newBus(t *testing.T, p broker.Properties) *bus {
	t.Helper()
	b := &bus{T: t, Broker: broker.New(broker.Config{})}
	t.Cleanup(b.Close)
	b.create("jobs", p)
	b.queue = b.open("jobs")
	b.dead = b.open("jobs/$DeadLetterQueue")
	b.transfer = b.open("jobs/$Transfer/$DeadLetterQueue")
	return b
}

func (b *bus) create(name string, p broker.Properties) {
	b.Helper()
	if _, err := b.Create(name, p); err != nil {
		b.Fatal(err)
	}
}

func (b *bus) open(path string) *broker.Queue {
	b.Helper()
	q, err := b.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	return q
}

// send sends one message for each id and returns the numbers.
func (b *bus) send(ids ...string) []int64 {
	b.Helper()
	messages := make([]broker.Message, len(ids))
	for i, id := range ids {
		messages[i] = broker.Message{ID: id, Bare: []byte(id)}
	}
	return b.sendMessages(messages...)
}

func (b *bus) sendMessages(m ...broker.Message) []int64 {
	b.Helper()
	numbers, err := b.queue.Send(m...)
	if err != nil {
		b.Fatal(err)
	}
	return numbers
}

func (b *bus) consume(q *broker.Queue, mode broker.Mode) *broker.Consumer {
	b.Helper()
	c, err := q.Consume(broker.ConsumerConfig{Mode: mode})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// take takes from q with a consumer of its own and compares the ids.
func (b *bus) take(q *broker.Queue, want ...string) []broker.Delivery {
	b.Helper()
	return b.takeFrom(b.consume(q, broker.PeekLock), want...)
}

func (b *bus) takeFrom(c *broker.Consumer, want ...string) []broker.Delivery {
	b.Helper()
	got, err := c.Take(100)
	if err != nil {
		b.Fatal(err)
	}
	if ids := idsOf(got); !slices.Equal(ids, want) {
		b.Fatalf("took %q, want %q", ids, want)
	}
	return got
}

func (b *bus) settle(q *broker.Queue, s broker.Settlement, deliveries ...broker.Delivery) {
	b.Helper()
	for _, d := range deliveries {
		if err := q.Settle(s, d.LockToken); err != nil {
			b.Fatal(err)
		}
	}
}

// counts compares the queue's figures, without sizes.
func (b *bus) counts(want broker.Counts) {
	b.Helper()
	d, err := b.Get("jobs")
	if err != nil {
		b.Fatal(err)
	}
	got := d.Counts
	got.SizeBytes = 0
	if got != want {
		b.Fatalf("counts are %+v, want %+v", got, want)
	}
}

func (b *bus) wantKind(err error, want broker.Kind) {
	b.Helper()
	if got := broker.KindOf(err); got != want {
		b.Fatalf("error is %q (%v), want %q", got, err, want)
	}
}

func idsOf(deliveries []broker.Delivery) []string {
	var ids []string
	for _, d := range deliveries {
		ids = append(ids, d.ID)
	}
	return ids
}

// pass lets virtual time go by.
func pass(d time.Duration) { <-time.After(d) }

// overlay returns the value that the overlay of d gives to a property.
func overlay(d broker.Delivery, key string) any {
	for _, p := range d.Overlay {
		if p.Key == key {
			return p.Value
		}
	}
	return nil
}

var (
	complete = broker.Settlement{Outcome: broker.Complete}
	abandon  = broker.Settlement{Outcome: broker.Abandon}
	deferral = broker.Settlement{Outcome: broker.Defer}
	release  = broker.Settlement{Outcome: broker.Release}
)
