package main

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

// morgueRig is a broker in memory whose job queue detects duplicates and has
// dead letters. Letters are numbered; odd ones have the reason "odd".
type morgueRig struct {
	*morgue
	t   *testing.T
	bus *localbus.Server
	to  *servicebus.Sender
}

func newMorgueRig(t *testing.T, letters int, faults localbus.Faults) *morgueRig {
	t.Helper()
	r := &morgueRig{t: t}
	var err error
	r.bus, err = localbus.New(localbus.Config{Faults: faults, Queues: []localbus.Queue{{Name: "jobs", QueueProperties: localbus.QueueProperties{
		LockDuration: 5 * time.Second, RequiresDuplicateDetect: true, DuplicateDetectionWindow: time.Hour,
	}}}})
	r.must(err)
	t.Cleanup(func() { r.must(r.bus.Close()) })
	r.morgue = r.open()
	r.to, err = r.client.Sender("jobs")
	r.must(err)
	r.bury(letters)
	return r
}

// open is another process that looks after the same queue.
func (r *morgueRig) open() *morgue {
	r.t.Helper()
	client, err := servicebus.New(servicebus.Config{ConnectionString: emulator("localhost"),
		Dial: func(ctx context.Context, _ string) (net.Conn, error) { return r.bus.Dial(ctx) }})
	r.must(err)
	r.t.Cleanup(func() { closeClient(client) })
	letters, err := client.Receiver(servicebus.DeadLetters("jobs"))
	r.must(err)
	return &morgue{client, letters, "jobs"}
}

// message is the job of a letter.
func message(n int) queue.Message {
	return queue.Message{ID: fmt.Sprint("m", n), Body: fmt.Appendf(nil, `{"id":"job-%d"}`, n), ReplyTo: "answers", ReplyToSessionID: "s",
		Subject: "what", Properties: map[string]any{"n": int64(n), "claim": "x"}}
}

// bury sends jobs and dead-letters them.
func (r *morgueRig) bury(letters int) {
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
func (r *morgueRig) count() int {
	r.t.Helper()
	var all census
	r.must(all.take(r.t.Context(), r.letters, letterFilter{}))
	return all.Total
}

// sweep counts what matches and prepares to act on it.
func (r *morgueRig) sweep(m *morgue, filter letterFilter, act func(context.Context, []*queue.Delivery) []error) *sweep {
	r.t.Helper()
	var all census
	r.must(all.take(r.t.Context(), m.letters, filter))
	filter.limit = 0
	return &sweep{from: m.letters, look: m.letters, filter: filter, counted: counted{all.Total, all.Last}, act: act, wait: time.Minute, told: func(int, int) {}, most: maxAside}
}

// replayer is the act of a replay.
func (r *morgueRig) replayer(m *morgue) func(context.Context, []*queue.Delivery) []error {
	r.t.Helper()
	act, err := openReplay(r.t.Context(), m)
	r.must(err)
	return act
}

// alive takes all that waits on the job queue, and counts it by the letter's
// number.
func (r *morgueRig) alive() map[int]int {
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
func (r *morgueRig) same(d *queue.Delivery) {
	r.t.Helper()
	want := message(int(d.Properties["n"].(int64)))
	if d.ID == want.ID || d.CorrelationID != want.ID || string(d.Body) != string(want.Body) || d.ReplyTo != want.ReplyTo ||
		d.ReplyToSessionID != want.ReplyToSessionID || d.Subject != want.Subject || len(d.Properties) != len(want.Properties) {
		r.t.Errorf("got %+v, want the job %+v with another id", d.Message, want)
	}
}

func (r *morgueRig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// once fails unless each of n letters was seen once.
func (r *morgueRig) once(seen map[int]int, n int, meant func(int) bool) {
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
