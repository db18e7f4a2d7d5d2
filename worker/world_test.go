package worker_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
	checker "github.com/signmill/signmill/worker/history"
)

// simulated is the job queue of a run.
const simulated = "simulated"

// world is one run of the simulation. Its producer asks over a connection of
// its own, and a spectator looks over another; both are sound.
type world struct {
	*rig
	seed      uint64
	random    *rand.Rand // of the run's goroutine
	history   *checker.History
	replicas  []*replica
	putOff    bool        // by the workers, instead of abandoning
	peace     atomic.Bool // nothing fails any more
	spectator *azservicebus.Client
	strikes   map[string]int
}

// String names a run in messages.
func (w *world) String() string { return fmt.Sprintf("seed %d", w.seed) }

// newWorld opens a broker with the faults of a seed. None of them lasts.
func newWorld(t *testing.T, seed uint64) *world {
	w := &world{seed: seed, strikes: map[string]int{}}
	w.random = w.source("run", 0)
	skew := time.Duration(w.random.IntN(121)-60) * time.Second
	locks := localbus.QueueProperties{LockDuration: 20 * time.Second, MaxDeliveryCount: 2000}
	once := localbus.QueueProperties{RequiresDuplicateDetect: true, DuplicateDetectionWindow: 24 * time.Hour}
	w.rig = newRigWith(t, localbus.Config{
		Faults: w.drawFaults(),
		Queues: []localbus.Queue{{Name: simulated, QueueProperties: locks}, {Name: "results", QueueProperties: once}},
		Clock:  skewed{skew},
		Random: rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), 1}),
	}, localvault.Config{Random: rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), 2})})
	w.jobs = w.sender(simulated)
	w.config.MaxDeliveries = []int{3, 10, 1000}[w.random.IntN(3)]
	w.config.JobTimeout = time.Minute
	w.putOff = w.random.IntN(2) == 0
	w.history = checker.New(checker.Config{Key: w.public, Window: 24 * time.Hour, EndsOnce: w.config.MaxDeliveries == 1000})
	var err error
	w.spectator, err = azservicebus.NewClientFromConnectionString(emulator, &azservicebus.ClientOptions{
		NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
			return w.bus.Dial(ctx)
		},
	})
	w.must(err)
	w.cleanup(w.spectator.Close)
	return w
}

// drawFaults decides what the broker does wrong.
func (w *world) drawFaults() localbus.Faults {
	every := func(n int) int { // a rate, or never
		if w.random.IntN(3) == 0 {
			return 0
		}
		return n/2 + w.random.IntN(n)
	}
	return localbus.Faults{
		ServerBusyEvery: every(12), RefuseLinkEvery: every(8), LoseLockEvery: every(12), DuplicateEvery: every(15),
		DropAfterFrames: every(60), HalfFrameEvery: every(40), MaxFaults: 1 + w.random.IntN(6),
	}
}

// run submits jobs and lets things happen between them, then waits in peace
// until every job has come to an end.
func (w *world) run() {
	for range 1 + w.random.IntN(2) {
		w.open()
	}
	for i := range 6 + w.random.IntN(8) {
		w.ask(i)
		if w.random.IntN(2) == 0 {
			<-time.After(time.Duration(w.random.IntN(400)) * time.Millisecond)
			w.strike()
		}
		<-time.After(time.Duration(w.random.IntN(3000)) * time.Millisecond)
	}
	w.makePeace()
	w.post(job("after all", 2), queue.Message{})
	for began := time.Now(); len(w.peek(simulated)) > 0; <-time.After(15 * time.Second) {
		if time.Since(began) > 2*time.Hour {
			break // the history tells which jobs are lost
		}
	}
}

// makePeace ends all faults, and leaves at least one worker.
func (w *world) makePeace() {
	w.peace.Store(true)
	w.vault.SetFaults(localvault.Faults{})
	for _, r := range w.replicas {
		for _, line := range r.lines() {
			line.heal()
		}
	}
	w.open()
}

// ask sends a job. Some are bad ones.
func (w *world) ask(i int) {
	j := job(fmt.Sprint("job ", i), 1+w.random.IntN(3))
	m := queue.Message{}
	switch w.random.IntN(16) {
	case 0:
		m.Body, j.Items = []byte("no job"), nil
	case 1:
		m.ReplyTo = "nowhere" // the refusal goes to the default queue
	case 2:
		j.Key = "gone"
	}
	w.post(j, m)
}

// post sends a job until the broker accepts it.
func (w *world) post(j schema.Job, m queue.Message) {
	m.ID = j.ID
	if m.Body == nil {
		m.Body = w.encode(j)
	}
	w.history.Attempt(j)
	for w.jobs.Send(w.t.Context(), m) != nil {
		w.strikes["sent again"]++
	}
	w.history.Accept(j.ID)
}

// peek looks at all messages of a queue, locked and scheduled ones too, and
// changes nothing.
func (w *world) peek(name string) (all []*azservicebus.ReceivedMessage) {
	options := &azservicebus.ReceiverOptions{}
	name, dead := strings.CutSuffix(name, servicebus.DeadLetters(""))
	if dead {
		options.SubQueue = azservicebus.SubQueueDeadLetter
	}
	receiver, err := w.spectator.NewReceiverForQueue(name, options)
	w.must(err)
	defer receiver.Close(w.t.Context())
	for from := int64(0); ; {
		got, err := receiver.PeekMessages(w.t.Context(), 100, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &from})
		if err != nil {
			<-time.After(time.Second) // the broker's faults are for everybody
			continue
		}
		if len(got) == 0 {
			return all
		}
		all = append(all, got...)
		from = *got[len(got)-1].SequenceNumber + 1
	}
}

// check compares what can be seen with the promises.
func (w *world) check() checker.Report {
	w.t.Helper()
	for _, m := range w.peek(simulated) {
		w.history.Wait(requestOf(m))
	}
	for _, m := range w.peek("results") {
		w.history.Reply(checker.Reply{ID: m.MessageID, CorrelationID: *m.CorrelationID, Body: m.Body, EnqueuedAt: *m.EnqueuedTime})
	}
	for _, m := range w.peek(servicebus.DeadLetters(simulated)) {
		reason := ""
		if m.DeadLetterReason != nil {
			reason = *m.DeadLetterReason
		}
		w.history.DeadLetter(requestOf(m), reason)
	}
	stats := w.vault.Stats()
	w.history.Sign(stats.Operations["sign"], stats.Dropped)
	report := w.history.Check()
	if err := report.Err(); err != nil {
		w.t.Errorf("%s: %v", w, err)
	}
	return report
}

// requestOf returns the MessageID of the request behind a message.
func requestOf(m *azservicebus.ReceivedMessage) string {
	if m.CorrelationID == nil {
		return m.MessageID
	}
	return original(m.MessageID, *m.CorrelationID)
}

// alive returns the workers that were neither drained nor killed.
func (w *world) alive() []*replica {
	return slices.DeleteFunc(slices.Clone(w.replicas), func(r *replica) bool { return r.ended })
}
