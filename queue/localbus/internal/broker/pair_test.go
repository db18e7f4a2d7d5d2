package broker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// pair is the broker and its model, side by side.
type pair struct {
	*bus
	model     *model
	rand      *rand.Rand
	sent      int
	consumers []*broker.Consumer // of the queue
	burials   *broker.Consumer   // of the dead-letter queue
	stale     []broker.Token     // locks that were
}

func newPair(t *testing.T, seed uint64) *pair {
	p := broker.Properties{LockDuration: 5 * time.Second, MaxDeliveryCount: 4, DeadLetterOnExpiration: true}
	x := &pair{
		bus:   newBus(t, p),
		model: &model{lock: p.LockDuration, limit: p.MaxDeliveryCount},
		rand:  rand.New(rand.NewPCG(seed, 1)),
	}
	for range 3 {
		x.consumers = append(x.consumers, x.consume(x.queue, broker.PeekLock))
	}
	x.burials = x.consume(x.dead, broker.PeekLock)
	return x
}

// run makes random steps and compares after each.
func (x *pair) run(steps int) {
	choices := []func(){
		x.sendSome, x.sendSome, x.takeSome, x.takeSome, x.takeDead, x.settleOne, x.settleOne, x.settleOne,
		x.settleOne, x.renewOne, x.loseOne, x.passTime, x.passTime, x.takeDeferred, x.cancel, x.settleStale,
	}
	for range steps {
		choices[x.rand.IntN(len(choices))]()
		x.model.settleTime()
		x.compare()
	}
}

func (x *pair) compare() {
	x.Helper()
	x.counts(x.model.counts())
	for dead, q := range map[bool]*broker.Queue{false: x.queue, true: x.dead} {
		seen, err := q.Peek(broker.Browse{Limit: 1 << 20})
		if err != nil {
			x.Fatal(err)
		}
		want := x.model.pick(func(e *entry) bool { return e.dead == dead })
		if got := views(seen); !slices.Equal(got, entries(want)) {
			x.Fatalf("dead=%t: broker has\n%q, model has\n%q", dead, got, entries(want))
		}
	}
}

// views and entries put both sides into the same words.
func views(deliveries []broker.Delivery) []string {
	var words []string
	for _, d := range deliveries {
		words = append(words, fmt.Sprint(d.ID, " #", d.SequenceNumber, " x", d.DeliveryCount))
	}
	return words
}

func entries(list []*entry) []string {
	var words []string
	for _, e := range list {
		words = append(words, fmt.Sprint(e.id, " #", e.number, " x", e.failures))
	}
	return words
}

func (x *pair) sendSome() {
	var batch []broker.Message
	for range 1 + x.rand.IntN(4) {
		x.sent++
		m := broker.Message{ID: fmt.Sprint("m", x.sent)}
		var delay time.Duration
		if x.rand.IntN(3) == 0 {
			m.TTL = time.Duration(1+x.rand.IntN(20)) * time.Second
		}
		if x.rand.IntN(4) == 0 {
			delay = time.Duration(1+x.rand.IntN(10)) * time.Second
			m.ScheduledAt = time.Now().Add(delay)
		}
		batch = append(batch, m)
		x.model.send(m.ID, m.TTL, delay)
	}
	x.sendMessages(batch...)
}

func (x *pair) takeSome() { x.takeBoth(x.consumers[x.rand.IntN(len(x.consumers))], false) }
func (x *pair) takeDead() { x.takeBoth(x.burials, true) }

func (x *pair) takeBoth(c *broker.Consumer, dead bool) {
	limit := x.rand.IntN(5)
	got, err := c.Take(limit)
	if err != nil {
		x.Fatal(err)
	}
	want := x.model.ready(dead)
	x.locked(got, want[:min(limit, len(want))])
}

// locked compares what was taken and notes the locks in the model.
func (x *pair) locked(got []broker.Delivery, want []*entry) {
	x.Helper()
	if !slices.Equal(views(got), entries(want)) {
		x.Fatalf("took %q, want %q", views(got), entries(want))
	}
	for i, d := range got {
		want[i].token, want[i].until = d.LockToken, time.Now().Add(x.model.lock)
		if !d.LockedUntil.Equal(want[i].until) {
			x.Fatalf("%s is locked until %v, want %v", d.ID, d.LockedUntil, want[i].until)
		}
	}
}

// held returns a random locked entry and its queue, or nil.
func (x *pair) held() (*entry, *broker.Queue) {
	locked := x.model.pick(func(e *entry) bool { return !e.until.IsZero() })
	if len(locked) == 0 {
		return nil, nil
	}
	e := locked[x.rand.IntN(len(locked))]
	if e.dead {
		return e, x.dead
	}
	return e, x.queue
}

func (x *pair) settleOne() {
	e, q := x.held()
	if e == nil {
		return
	}
	o := broker.Complete + broker.Outcome(x.rand.IntN(5))
	if e.dead && o == broker.Defer {
		o = broker.Complete // so that dead letters go away
	}
	if err := q.Settle(broker.Settlement{Outcome: o}, e.token); err != nil {
		x.Fatal(err)
	}
	x.stale = append(x.stale, e.token)
	x.model.settle(e, o)
}

func (x *pair) settleStale() {
	for _, t := range x.stale {
		x.wantKind(x.queue.Settle(complete, t), broker.LockLost)
		x.wantKind(x.dead.Settle(complete, t), broker.LockLost)
	}
	x.stale = nil
}

func (x *pair) renewOne() {
	if e, q := x.held(); e != nil {
		if _, err := q.Renew(e.token); err != nil {
			x.Fatal(err)
		}
		e.until = time.Now().Add(x.model.lock)
	}
}

func (x *pair) loseOne() {
	if e, q := x.held(); e != nil {
		if err := q.LoseLock(e.token); err != nil {
			x.Fatal(err)
		}
		x.stale = append(x.stale, e.token)
		x.model.fail(e, time.Now())
	}
}

func (x *pair) passTime() {
	pass(time.Duration(x.rand.IntN(4000)) * time.Millisecond)
	x.model.settleTime()
}

func (x *pair) takeDeferred() {
	want := x.model.pick(func(e *entry) bool { return e.deferred && e.until.IsZero() })
	if len(want) == 0 {
		return
	}
	e := want[x.rand.IntN(len(want))]
	got, err := x.queue.ReceiveDeferred(broker.PeekLock, e.number)
	if !e.expires.IsZero() && !time.Now().Before(e.expires) {
		x.wantKind(err, broker.MessageNotFound)
		x.model.bury(e)
		return
	}
	if err != nil {
		x.Fatal(err)
	}
	x.locked(got, []*entry{e})
}

func (x *pair) cancel() {
	scheduled := x.model.pick(func(e *entry) bool { return !e.due.IsZero() })
	if len(scheduled) == 0 || x.rand.IntN(3) > 0 {
		return
	}
	e := scheduled[x.rand.IntN(len(scheduled))]
	if err := x.queue.CancelScheduled(e.number); err != nil {
		x.Fatal(err)
	}
	x.model.remove(e)
}
