package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Config says with what and how a Worker works. The first five fields are
// required.
type Config struct {
	Jobs         queue.Receiver          // the job queue
	Replies      map[string]queue.Sender // the reply queues that a job may name in ReplyTo, by queue name
	DefaultReply string                  // the one of Replies for jobs without ReplyTo
	Policy       Policy                  // which job may use which key
	Keys         signer.Keys             // finds keys and works with them

	Later queue.Sender // puts jobs back on the job queue, to come later; nil: they are abandoned, which counts as a delivery

	Lanes []Lane // further job queues, for jobs that must not wait behind others; nil: none

	Concurrency   int           // items with the signer at once for each vault, besides those that wait for a quota; 0: 64
	JobsHeld      int           // deliveries held at once; 0: twice Concurrency
	Pace          Pace          // bounds them by what can be done inside a lock; nil: no pace is known
	MaxDeliveries int           // attempts after which a job is dead-lettered, at most the queue's MaxDeliveryCount; waiting for the quota is none where there is Later; 0: 10
	JobTimeout    time.Duration // time for one attempt at a job, after which it is given back; 0: 5 minutes
	MaxAge        time.Duration // from a job's first arrival on, after which it is not given back but dead-lettered; 0: 24 hours
	DrainTimeout  time.Duration // time to finish held jobs after Run's context ended; replies and settlements may take 5 seconds more; 0: 25 seconds
	Limits        schema.Limits // what a job may be; zero: schema's defaults
	Audit         Audit         // takes down what is done with keys; nil: nothing is taken down
	Log           *slog.Logger  // one event per outcome; nil: slog.Default()
	Telemetry     Telemetry     // what else is told of the jobs; zero: nothing
}

// Defaults of Config.
const (
	defaultConcurrency   = 64
	defaultMaxDeliveries = 10
	defaultJobTimeout    = 5 * time.Minute
	defaultMaxAge        = 24 * time.Hour
	defaultDrainTimeout  = 25 * time.Second
)

// withDefaults fills in the zero values.
func (c Config) withDefaults() Config {
	c.Concurrency = orDefault(c.Concurrency, defaultConcurrency)
	c.JobsHeld = orDefault(c.JobsHeld, 2*c.Concurrency)
	c.MaxDeliveries = orDefault(c.MaxDeliveries, defaultMaxDeliveries)
	c.JobTimeout = orDefault(c.JobTimeout, defaultJobTimeout)
	c.MaxAge = orDefault(c.MaxAge, defaultMaxAge)
	c.DrainTimeout = orDefault(c.DrainTimeout, defaultDrainTimeout)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// validate lists all faults of c at once.
func (c Config) validate() error {
	var faults []error
	missing := func(field string, absent bool) {
		if absent {
			faults = append(faults, fmt.Errorf("%s is missing", field))
		}
	}
	missing("Jobs", c.Jobs == nil)
	missing("Policy", c.Policy == nil)
	missing("Keys", c.Keys == nil)
	if err := checkReplies(c.Replies, c.DefaultReply); err != nil {
		faults = append(faults, err)
	}
	if err := checkLanes(c.Lanes); err != nil {
		faults = append(faults, err)
	}
	negative := func(field string, bad bool) {
		if bad {
			faults = append(faults, fmt.Errorf("%s is negative", field))
		}
	}
	negative("Concurrency", c.Concurrency < 0)
	negative("JobsHeld", c.JobsHeld < 0)
	negative("MaxDeliveries", c.MaxDeliveries < 0)
	negative("JobTimeout", c.JobTimeout < 0)
	negative("MaxAge", c.MaxAge < 0)
	negative("DrainTimeout", c.DrainTimeout < 0)
	return errors.Join(faults...)
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}
