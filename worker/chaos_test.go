package worker_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
)

var (
	chaosFirst = flag.Uint64("chaos.first", 1, "the first seed of TestChaos")
	chaosSeeds = flag.Uint64("chaos.seeds", 6, "how many seeds TestChaos runs")
)

// TestChaos runs jobs through several workers in virtual time while the
// broker and the vault fail and workers come, drain and die. Then it checks
// the promises. A seed decides what fails and when; the order in which
// goroutines run differs between two runs of one seed.
func TestChaos(t *testing.T) {
	var sum tally
	for seed := *chaosFirst; seed < *chaosFirst+*chaosSeeds; seed++ {
		synctest.Test(t, func(t *testing.T) {
			c := newChaos(t, seed)
			c.run()
			c.check()
			sum.add(c.tally)
		})
		if t.Failed() {
			t.Fatalf("repeat with: go test ./worker -run TestChaos -chaos.first=%d -chaos.seeds=1", seed)
		}
	}
	t.Logf("%d seeds: %+v", *chaosSeeds, sum)
}

// chaos is one run. Its producer asks and looks over a client of its own.
type chaos struct {
	*rig
	random   *rand.Rand
	seed     uint64
	accepted map[string]schema.Job // by MessageID; a bad one has no items
	replicas []*replica
	history  *history
	putOff   bool // by the workers, instead of abandoning
	tally    tally
}

// newChaos opens a broker with the faults of a seed. None of them lasts.
func newChaos(t *testing.T, seed uint64) *chaos {
	random := rand.New(rand.NewPCG(seed, seed))
	now := func(n int) int { // a rate, or never
		if random.IntN(3) == 0 {
			return 0
		}
		return n/2 + random.IntN(n)
	}
	faults := localbus.Faults{
		ServerBusyEvery: now(12), RefuseLinkEvery: now(8), LoseLockEvery: now(12), DuplicateEvery: now(15),
		DropAfterFrames: now(60), HalfFrameEvery: now(40), MaxFaults: 1 + random.IntN(15),
	}
	c := &chaos{random: random, seed: seed, accepted: map[string]schema.Job{}, history: newHistory()}
	c.rig = newRigOn(t, localbus.Config{Faults: faults, Queues: []localbus.Queue{
		{Name: "chaos", QueueProperties: localbus.QueueProperties{LockDuration: 20 * time.Second, MaxDeliveryCount: 200}},
		{Name: "results", QueueProperties: localbus.QueueProperties{RequiresDuplicateDetect: true, DuplicateDetectionWindow: 24 * time.Hour}},
	}})
	c.jobs = c.sender("chaos")
	c.config.MaxDeliveries = []int{3, 10, 100}[random.IntN(3)]
	c.config.JobTimeout = time.Minute
	c.putOff = random.IntN(2) == 0
	c.history.byJob = c.putOff
	t.Logf("seed %d: %d deliveries at most, put off %t, faults %+v", seed, c.config.MaxDeliveries, c.putOff, faults)
	return c
}

// run submits jobs and lets things happen between them, then waits in peace
// until every job has come to an end.
func (c *chaos) run() {
	for range 1 + c.random.IntN(3) {
		c.open()
	}
	for i := range 30 + c.random.IntN(30) {
		c.ask(i)
		if c.random.IntN(3) == 0 {
			c.strike()
		}
		<-time.After(time.Duration(c.random.IntN(3000)) * time.Millisecond)
	}
	c.vault.SetFaults(localvault.Faults{})
	c.open()
	for began := time.Now(); !c.settled(); <-time.After(15 * time.Second) {
		if time.Since(began) > 2*time.Hour {
			c.t.Errorf("seed %d: not all jobs have ended after two hours", c.seed)
			return
		}
	}
}

// ask sends a job until the broker accepts it. Some are bad ones.
func (c *chaos) ask(i int) {
	j := job(fmt.Sprint("job ", i), 1+c.random.IntN(8))
	m := queue.Message{ID: j.ID, ReplyTo: "results", Body: c.encode(j)}
	switch c.random.IntN(20) {
	case 0:
		m.Body, j.Items = []byte("no job"), nil
	case 1:
		m.ReplyTo = "nowhere" // the refusal goes to the default queue
	case 2:
		j.Key = "gone"
		m.Body = c.encode(j)
	}
	c.accepted[m.ID] = j
	c.post(c.t.Context(), m)
}

// post sends a message until the broker accepts it.
func (c *chaos) post(ctx context.Context, m queue.Message) {
	for c.jobs.Send(ctx, m) != nil && ctx.Err() == nil {
		c.tally.Resent++
	}
}

// strike makes one thing go wrong.
func (c *chaos) strike() {
	c.tally.Strikes++
	n := 1 + c.random.IntN(4)
	switch c.random.IntN(12) {
	case 0:
		c.bus.DropConnections()
	case 1:
		c.tally.LocksLost += c.bus.LoseLocks("chaos")
	case 2:
		c.vault.SetFaults(localvault.Faults{Throttle: 4 * n})
	case 3:
		c.vault.SetFaults(localvault.Faults{Fail: 10 * n, Delay: time.Duration(n) * time.Second})
	case 4:
		c.vault.SetFaults(localvault.Faults{DropRequest: n, DropAnswer: n})
	case 5:
		c.vault.SetFaults(localvault.Faults{WrongSignature: n, RepeatedR: n, WrongVersion: n, Unpadded: n})
	case 6:
		c.vault.SetFaults(localvault.Faults{Delay: time.Duration(10*n) * time.Second})
	case 7:
		c.vault.SetFaults(localvault.Faults{})
	case 8, 9:
		c.end((*replica).drain)
	case 10:
		c.end((*replica).kill)
	case 11:
		c.open()
	}
}

// end drains or kills one worker and starts another in its place.
func (c *chaos) end(how func(*replica)) {
	alive := slices.DeleteFunc(slices.Clone(c.replicas), func(r *replica) bool { return r.ended })
	if len(alive) > 0 {
		how(alive[c.random.IntN(len(alive))])
	}
	c.open()
}

// errKilled is what a killed worker gets from everything that it touches.
var errKilled = errors.New("killed")

// settled reports whether each accepted job has ended and the queue is empty.
func (c *chaos) settled() bool {
	if len(c.peek("chaos")) > 0 {
		return false
	}
	endings := c.endings()
	for id := range c.accepted {
		if len(endings[id]) == 0 {
			return false
		}
	}
	return true
}

// alive shows that a worker still serves, after everything.
func (c *chaos) alive() {
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Minute)
	defer cancel()
	good := job("after all", 2)
	c.post(ctx, queue.Message{ID: good.ID, ReplyTo: "results", Body: c.encode(good)})
	c.accepted[good.ID] = good
	for !c.settled() && ctx.Err() == nil {
		<-time.After(time.Second)
	}
	if got := c.endings()[good.ID]; len(got) != 1 {
		c.t.Errorf("seed %d: a last good job ended %d times, want once: no worker is alive", c.seed, len(got))
	}
}
