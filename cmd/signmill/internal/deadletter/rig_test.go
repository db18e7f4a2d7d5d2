package deadletter

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
)

// inMemory is how clients reach a broker in memory.
const inMemory = "Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"

// process is one of those that look after the dead letters.
type process struct {
	client  *servicebus.Client
	letters *servicebus.Receiver
}

// rig is a broker in memory whose job queue detects duplicates and has
// dead letters. Letters are numbered; odd ones have the reason "odd".
type rig struct {
	*process
	t   *testing.T
	bus *localbus.Server
	to  *servicebus.Sender
}

func newRig(t *testing.T, letters int, faults localbus.Faults) *rig {
	t.Helper()
	r := &rig{t: t}
	var err error
	r.bus, err = localbus.New(localbus.Config{Faults: faults, Queues: []localbus.Queue{{Name: "jobs", QueueProperties: localbus.QueueProperties{
		LockDuration: 5 * time.Second, RequiresDuplicateDetect: true, DuplicateDetectionWindow: time.Hour,
	}}}})
	r.must(err)
	t.Cleanup(func() { r.must(r.bus.Close()) })
	r.process = r.open()
	r.to, err = r.client.Sender("jobs")
	r.must(err)
	r.bury(letters)
	return r
}

// open is another process that looks after the same queue.
func (r *rig) open() *process {
	r.t.Helper()
	client, err := servicebus.New(servicebus.Config{ConnectionString: inMemory,
		Dial: func(ctx context.Context, _ string) (net.Conn, error) { return r.bus.Dial(ctx) }})
	r.must(err)
	r.t.Cleanup(func() { client.Close(context.Background()) })
	letters, err := client.Receiver(servicebus.DeadLetters("jobs"))
	r.must(err)
	return &process{client, letters}
}

// message is the job of a letter.
func message(n int) queue.Message {
	return queue.Message{ID: fmt.Sprint("m", n), Body: fmt.Appendf(nil, `{"id":"job-%d"}`, n), ReplyTo: "answers", ReplyToSessionID: "s",
		Subject: "what", Properties: map[string]any{"n": int64(n), "claim": "x"}}
}

// bury sends jobs and dead-letters them.
func (r *rig) bury(letters int) {
	r.t.Helper()
	from, err := r.client.Receiver("jobs")
	r.must(err)
	jobs := make([]queue.Message, letters)
	for n := range jobs {
		jobs[n] = message(n)
	}
	for r.to.Send(r.t.Context(), jobs...) != nil { // again, under the same ids
		r.must(r.t.Context().Err())
	}
	for r.count() < letters {
		got, err := from.Receive(r.t.Context(), 100)
		r.must(err)
		eachOf(got, func(d *queue.Delivery) {
			reason := "even"
			if d.Properties["n"].(int64)%2 == 1 {
				reason = "odd"
			}
			_ = d.DeadLetter(r.t.Context(), reason, "letter") // when its lock was lost, it comes again
		})
	}
	_ = from.Close(r.t.Context()) // a fault may have cut it off
}

// count is how many dead letters there are.
func (r *rig) count() int {
	r.t.Helper()
	var all Census
	r.must(all.Take(r.t.Context(), r.letters, Filter{}))
	return all.Total
}

// Sweep counts what matches and prepares to act on it.
func (r *rig) sweep(m *process, filter Filter, act Act) *Sweep {
	r.t.Helper()
	var all Census
	r.must(all.Take(r.t.Context(), m.letters, filter))
	return &Sweep{From: m.letters, Look: m.letters, Filter: filter, Total: all.Total, Last: all.Last, Act: act, Wait: time.Minute, Told: func(int, int) {}}
}

// replayer is the act of a replay.
func (r *rig) replayer(m *process) Act {
	r.t.Helper()
	to, err := m.client.Sender("jobs")
	r.must(err)
	return Replay(to)
}

// alive takes all that waits on the job queue, and counts it by the letter's
// number.
func (r *rig) alive() map[int]int {
	r.t.Helper()
	from, err := r.client.Receiver("jobs")
	r.must(err)
	seen := map[int]int{}
	for {
		ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
		got, err := from.Receive(ctx, 100)
		cancel()
		if err != nil {
			_ = from.Close(r.t.Context())
			return seen
		}
		for _, d := range got {
			if d.Complete(r.t.Context()) != nil {
				continue // it comes again
			}
			seen[int(d.Properties["n"].(int64))]++
			r.same(d)
		}
	}
}

// same compares a copy with what was first sent.
func (r *rig) same(d *queue.Delivery) {
	r.t.Helper()
	want := message(int(d.Properties["n"].(int64)))
	if d.ID == want.ID || d.CorrelationID != want.ID || string(d.Body) != string(want.Body) || d.ReplyTo != want.ReplyTo ||
		d.ReplyToSessionID != want.ReplyToSessionID || d.Subject != want.Subject || len(d.Properties) != len(want.Properties) {
		r.t.Errorf("got %+v, want the job %+v with another id", d.Message, want)
	}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// once fails unless each of n letters was seen once.
func (r *rig) once(seen map[int]int, n int, meant func(int) bool) {
	r.t.Helper()
	for i := range n {
		want := 0
		if meant(i) {
			want = 1
		}
		if seen[i] != want {
			r.t.Errorf("letter %d: got %d copies, want %d", i, seen[i], want)
		}
	}
}

func everyOne(int) bool { return true }

// noting is a receiver that notes which sequence numbers it gave out.
type noting struct {
	queue.Receiver
	highest int64
	n       int
}

func (t *noting) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	got, err := t.Receiver.Receive(ctx, limit)
	for _, d := range got {
		t.highest = max(t.highest, d.SequenceNumber)
		t.n++
	}
	return got, err
}
