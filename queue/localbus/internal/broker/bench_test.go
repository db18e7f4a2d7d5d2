package broker_test

import (
	"strconv"
	"testing"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// BenchmarkCycle sends, takes and completes one message for each iteration, in
// batches of one or a hundred, on an empty queue and on one that holds many. For
// comparison, BenchmarkChannel moves the same batches through a Go channel.
func BenchmarkCycle(b *testing.B) {
	for _, held := range []int{0, 1_000_000} {
		for _, batch := range []int{1, 100} {
			b.Run("held="+strconv.Itoa(held)+"/batch="+strconv.Itoa(batch), func(b *testing.B) {
				cycle(b, held, batch)
			})
		}
	}
}

func cycle(b *testing.B, held, batch int) {
	bus := broker.New(broker.Config{})
	b.Cleanup(bus.Close)
	if _, err := bus.Create("jobs", broker.Properties{MaxSizeMegabytes: 1 << 20}); err != nil {
		b.Fatal(err)
	}
	q, err := bus.Open("jobs")
	if err != nil {
		b.Fatal(err)
	}
	c, err := q.Consume(broker.ConsumerConfig{})
	if err != nil {
		b.Fatal(err)
	}
	messages := make([]broker.Message, batch)
	for i := range messages {
		messages[i] = broker.Message{ID: strconv.Itoa(i), Size: 100}
	}
	for range held / batch {
		if _, err := q.Send(messages...); err != nil {
			b.Fatal(err)
		}
	}
	tokens := make([]broker.Token, batch)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Send(messages...); err != nil {
			b.Fatal(err)
		}
		deliveries, err := c.Take(batch)
		if err != nil {
			b.Fatal(err)
		}
		for i, d := range deliveries {
			tokens[i] = d.LockToken
		}
		if err := q.Settle(broker.Settlement{Outcome: broker.Complete}, tokens...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(batch)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkChannel is the yardstick of BenchmarkCycle.
func BenchmarkChannel(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run("batch="+strconv.Itoa(batch), func(b *testing.B) {
			line := make(chan *broker.Message, batch)
			b.ReportAllocs()
			for b.Loop() {
				for range batch {
					line <- &broker.Message{Size: 100}
				}
				for range batch {
					<-line
				}
			}
			b.ReportMetric(float64(b.N)*float64(batch)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
