package exchange

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
)

// rig is an exchange over a broker in memory, whose worker is the test. Of each
// job it keeps its number.
type rig struct {
	*Exchange[int]
	t      *testing.T
	client *servicebus.Client
	jobs   *servicebus.Receiver // the worker's end
	out    *servicebus.Sender   // the worker's end
	log    bytes.Buffer         // of the exchange; read when it has ended

	mu       sync.Mutex // guards the fields below
	answered []string   // id, number and body of each reply that was answered for
	fail     error      // of the answers
}

// newRig prepares an exchange with a window of 2 and a patience of 5 minutes.
func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t}
	bus, err := localbus.New(localbus.Config{Queues: []localbus.Queue{{Name: "jobs"}, {Name: "replies"},
		{Name: "sessions", QueueProperties: localbus.QueueProperties{RequiresSession: true}}}})
	r.must(err)
	t.Cleanup(func() { r.must(bus.Close()) })
	r.client, err = servicebus.New(servicebus.Config{
		ConnectionString: "Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;",
		Dial:             func(ctx context.Context, _ string) (net.Conn, error) { return bus.Dial(ctx) },
	})
	r.must(err)
	t.Cleanup(func() { r.client.Close(context.WithoutCancel(t.Context())) })
	r.jobs = r.receiver("jobs")
	c := Config{ID: "run", Replies: r.receiver("replies"), ReplyTo: "replies", Window: 2, Patience: 5 * time.Minute,
		Advice: "start a worker", Log: slog.New(slog.NewTextHandler(&r.log, nil))}
	c.Jobs, err = r.client.Sender("jobs")
	r.must(err)
	if change != nil {
		change(&c)
	}
	r.out, err = r.client.Sender(c.ReplyTo)
	r.must(err)
	r.Exchange = New[int](c)
	return r
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) receiver(name string) *servicebus.Receiver {
	r.t.Helper()
	from, err := r.client.Receiver(name)
	r.must(err)
	return from
}

// start submits n jobs, run.1 and so on; the channel gives the end of the exchange
// once.
func (r *rig) start(soft, hard context.Context, n int) <-chan error {
	done := make(chan error, 1)
	go func() {
		done <- r.Run(soft, hard, func(soft, ctx context.Context) error {
			for i := range n {
				if err := r.Send(soft, ctx, queue.Message{ID: fmt.Sprint("run.", i+1)}, i+1); err != nil {
					return err
				}
			}
			return nil
		}, r.answer)
	}()
	return done
}

// answer notes a reply.
func (r *rig) answer(_ context.Context, id string, kept int, body []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered = append(r.answered, fmt.Sprintf("%s:%d:%s", id, kept, body))
	return r.fail
}

// answers returns what was answered for, in the order of ids.
func (r *rig) answers() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(slices.Sorted(slices.Values(r.answered)))
}

// take takes n jobs as a worker does.
func (r *rig) take(n int) {
	r.t.Helper()
	for n > 0 {
		n -= len(r.receive(r.jobs, n))
	}
}

// receive completes up to n messages and returns them. It waits a minute at most.
func (r *rig) receive(from *servicebus.Receiver, n int) []*queue.Delivery {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	got, err := from.Receive(ctx, n)
	r.must(err)
	for _, d := range got {
		r.must(d.Complete(ctx))
	}
	return got
}

// reply answers jobs as a worker does, each with its id.
func (r *rig) reply(ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		r.send(queue.Message{CorrelationID: id, SessionID: "run", Subject: schema.ResultVersion, Body: []byte("of " + id)})
	}
}

// send puts a message on the reply queue.
func (r *rig) send(m queue.Message) {
	r.t.Helper()
	m.ID = fmt.Sprintf("%s %s %s", m.SessionID, m.CorrelationID, m.Body)
	r.must(r.out.Send(r.t.Context(), m))
}

// waits counts the messages of a queue, also those that somebody holds.
func (r *rig) waits(name string) int {
	r.t.Helper()
	all, err := r.receiver(name).Browse(r.t.Context(), 0, 100)
	r.must(err)
	return len(all)
}

// ends checks how an exchange ends, and what it answered for until then.
func (r *rig) ends(done <-chan error, want error, answers string) {
	r.t.Helper()
	select {
	case err := <-done:
		if fmt.Sprint(err) != fmt.Sprint(want) {
			r.t.Errorf("got %v, want %v", err, want)
		}
	case <-time.After(time.Hour):
		r.t.Fatal("it has not ended after an hour")
	}
	if got := r.answers(); got != answers {
		r.t.Errorf("got answers %s, want %s", got, answers)
	}
}
