package servicebus

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue"
)

// round is how many messages one run of a loop moves.
const round = 400

// inFlight is how many sends, and how many settlements, run at once.
const inFlight = 16

// BenchmarkRoundTrip moves messages through a queue: sent one by one, received
// in batches, completed one by one. It reports the adapter's median time as a
// multiple of the bare client's, taken in turns against the same broker.
func BenchmarkRoundTrip(b *testing.B) {
	bus := startBus(b)
	client := newClient(b, bus.dial)
	ours := openOurs(b, client)
	bare := openBare(b, client)
	ours.run(b)
	bare.run(b)
	var oursTook, bareTook []time.Duration
	for b.Loop() {
		oursTook = append(oursTook, ours.run(b))
		bareTook = append(bareTook, bare.run(b), bare.run(b))
		oursTook = append(oursTook, ours.run(b))
	}
	b.ReportMetric(median(oursTook).Seconds()/median(bareTook).Seconds(), "x-bare")
	b.ReportMetric(round/median(oursTook).Seconds(), "msg/s")
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// lane sends, receives and completes one message, or some.
type lane struct {
	send     func(ctx context.Context, id string, body []byte) error
	receive  func(ctx context.Context, limit int) ([]func(context.Context) error, error)
	payload  []byte
	sequence int
}

// run moves one round and returns how long it took.
func (l *lane) run(b *testing.B) time.Duration {
	started := time.Now()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	ids := make(chan string, round)
	for range round {
		l.sequence++
		ids <- fmt.Sprint(l.sequence)
	}
	close(ids)
	for range inFlight {
		wg.Go(func() {
			for id := range ids {
				check(b, l.send(ctx, id, l.payload))
			}
		})
	}
	slots := make(chan struct{}, inFlight)
	for done := 0; done < round; {
		completions, err := l.receive(ctx, min(inFlight, round-done))
		check(b, err)
		done += len(completions)
		for _, complete := range completions {
			slots <- struct{}{}
			wg.Go(func() {
				check(b, complete(ctx))
				<-slots
			})
		}
	}
	wg.Wait()
	return time.Since(started)
}

func check(b *testing.B, err error) {
	if err != nil {
		b.Error(err)
	}
}

func openOurs(b *testing.B, c *Client) *lane {
	s, r := must(c.Sender(plainQueue)), must(c.Receiver(plainQueue))
	return &lane{
		payload: make([]byte, 1000),
		send: func(ctx context.Context, id string, body []byte) error {
			return s.Send(ctx, queue.Message{ID: id, Body: body})
		},
		receive: func(ctx context.Context, limit int) ([]func(context.Context) error, error) {
			got, err := r.Receive(ctx, limit)
			done := make([]func(context.Context) error, len(got))
			for i, d := range got {
				done[i] = d.Complete
			}
			return done, err
		},
	}
}

// openBare uses the client with the same options and no adapter, on a queue of
// its own. Its settlements have a deadline, without which they may hang.
func openBare(b *testing.B, c *Client) *lane {
	s, r := must(c.sdk.NewSender(bareQueue, nil)), must(c.sdk.NewReceiverForQueue(bareQueue, nil))
	return &lane{
		payload: make([]byte, 1000),
		send: func(ctx context.Context, id string, body []byte) error {
			return s.SendMessage(ctx, &azservicebus.Message{MessageID: &id, Body: body}, nil)
		},
		receive: func(ctx context.Context, limit int) ([]func(context.Context) error, error) {
			got, err := r.ReceiveMessages(ctx, limit, nil)
			done := make([]func(context.Context) error, len(got))
			for i, m := range got {
				done[i] = func(ctx context.Context) error {
					ctx, cancel := context.WithTimeout(ctx, linkAttempt)
					defer cancel()
					return r.CompleteMessage(ctx, m, nil)
				}
			}
			return done, err
		},
	}
}
