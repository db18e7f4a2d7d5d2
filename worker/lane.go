package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/signmill/signmill/queue"
)

// Lane is a further job queue. Its jobs have a part of the worker for themselves,
// on top of what they get beside the jobs of Config.Jobs: deliveries held, and
// places with the signer. At a gate of package quota they are in the lane of the
// same name. The first two fields are required.
type Lane struct {
	Name   string         // unique and not empty
	Jobs   queue.Receiver // the lane's job queue
	Later  queue.Sender   // as Config.Later, to the lane's queue
	Weight float64        // its part, where that of Config.Jobs is 1; 0: 1
	Queue  string         // name of Jobs, as Telemetry.JobQueue; "": Name
}

// source is where deliveries come from: Config.Jobs, or a lane. Its bounds are
// its own, so that a backlog elsewhere does not stand in its way.
type source struct {
	name   string // of the lane; "" is Config.Jobs
	queue  string // name of jobs, in spans and measurements
	jobs   queue.Receiver
	later  queue.Sender  // puts jobs back for later; nil: they are abandoned
	part   float64       // of the pace
	held   chan struct{} // one token for each delivery held
	load   *load         // what is held
	inlet  inlet         // what the queue did
	places *places       // for items of a lane alone; nil: none
}

// sources returns what Run takes jobs from.
func (c Config) sources() []*source {
	all := []*source{newSource(c, Lane{Jobs: c.Jobs, Later: c.Later, Queue: c.Telemetry.JobQueue}, 1)}
	sum := 1.0
	for _, l := range c.Lanes {
		sum += l.weight()
	}
	for _, l := range c.Lanes {
		s := newSource(c, l, l.weight()/sum)
		s.places = newPlaces(partOf(c.Concurrency, s.part))
		all = append(all, s)
	}
	return all
}

func newSource(c Config, l Lane, part float64) *source {
	return &source{
		name: l.Name, queue: cmp.Or(l.Queue, l.Name), jobs: l.Jobs, later: l.Later, part: part,
		held: make(chan struct{}, partOf(c.JobsHeld, part)), load: newLoad(c.JobTimeout),
	}
}

// partOf is at least one.
func partOf(n int, part float64) int { return max(1, int(math.Ceil(float64(n)*part))) }

func (l Lane) weight() float64 {
	if l.Weight == 0 {
		return 1
	}
	return l.Weight
}

// heaviest bounds a weight: what is left to the others would be nothing.
const heaviest = 1000

// checkLanes lists what is wrong with lanes.
func checkLanes(lanes []Lane) error {
	var faults []error
	names := map[string]bool{"": true}
	for _, l := range lanes {
		if names[l.Name] {
			faults = append(faults, fmt.Errorf("the name %q of a lane is empty or taken", l.Name))
		}
		names[l.Name] = true
		if l.Jobs == nil {
			faults = append(faults, fmt.Errorf("lane %q: Jobs is missing", l.Name))
		}
		if !(l.Weight >= 0 && l.Weight <= heaviest) {
			faults = append(faults, fmt.Errorf("lane %q: Weight is %v, want 0 to %d", l.Name, l.Weight, heaviest))
		}
	}
	return errors.Join(faults...)
}

// takeAll runs an intake for each source until ctx ends or one of them fails, and
// returns that failure.
func (w *Worker) takeAll(ctx context.Context, start func(*heldDelivery)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var intakes sync.WaitGroup
	for _, from := range w.sources {
		intakes.Go(func() {
			if err := w.intake(ctx, from, start); err != nil {
				stop(err)
			}
		})
	}
	intakes.Wait()
	return context.Cause(ctx)
}
