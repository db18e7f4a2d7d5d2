package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// campaign signs the files of a plan: it submits jobs, follows the replies,
// and records what comes back.
type campaign struct {
	campaignConfig
	flight *flight
}

// campaignConfig says how. All fields are required.
type campaignConfig struct {
	Plan      *plan
	Run       string // begins the ids of the jobs, and is the reply session if there is one
	Attempt   string // tells the jobs of a resumed run from those before
	Key       string
	Algorithm schema.Algorithm

	Jobs    queue.Sender
	Replies queue.Receiver
	ReplyTo string // name of the reply queue
	Session bool   // the replies come in a session of our own

	Keys     *keyring
	Record   *recorder
	Hashers  int           // files read at once
	Items    int           // files in one job
	Window   int           // jobs under way
	Patience time.Duration // how long to wait without a reply
	Log      *slog.Logger
}

func newCampaign(c campaignConfig) *campaign {
	return &campaign{campaignConfig: c, flight: newFlight(c.Window)}
}

// run returns when every submitted job is answered. When soft ends it submits
// no more; when hard ends it stops waiting, too, and returns the cause.
func (c *campaign) run(soft, hard context.Context) error {
	ctx, fail := context.WithCancelCause(hard)
	defer fail(nil)
	var crew sync.WaitGroup
	start := func(part func() error) {
		crew.Go(func() {
			if err := part(); err != nil {
				fail(err)
			}
		})
	}
	start(func() error { return c.submit(soft, ctx) })
	start(func() error { return c.follow(ctx, fail) })
	start(func() error { return c.watch(ctx) })
	crew.Wait()
	return context.Cause(ctx)
}

// warnAfter is how long to wait without a reply before saying so.
const warnAfter = 30 * time.Second

// watch gives up when no reply comes for too long.
func (c *campaign) watch(ctx context.Context) error {
	tick := time.NewTicker(min(warnAfter, c.Patience) / 4)
	defer tick.Stop()
	warned := false
	for {
		select {
		case <-c.flight.idle:
			return nil
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		silent, waiting := c.flight.silence()
		if waiting > 0 && silent >= c.Patience {
			return fmt.Errorf("no reply for %s and %d jobs wait: check that a worker serves the job queue and may use key %q, then continue with --resume",
				c.Patience, waiting, c.Key)
		}
		if waiting > 0 && silent >= warnAfter && !warned {
			c.Log.Warn("no reply yet; does a worker serve the job queue?", "jobs_waiting", waiting, "silent", silent.Round(time.Second))
		}
		warned = silent >= warnAfter
	}
}
