package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/worker"
	"github.com/signmill/signmill/worker/audit"
	"github.com/signmill/signmill/worker/policy"
)

// post is a worker for each job queue, with their connections.
type post struct {
	workers   []*worker.Worker
	client    *servicebus.Client
	vault     *keyvault.Client
	gates     *gates
	rules     rules
	jobs      []string                      // the job queues, which do not change
	lanes     []string                      // the queues of lanes, likewise
	senders   map[string]queue.Sender       // to the reply queues, by name
	warmups   []func(context.Context) error // of the queues
	later     []*servicebus.Sender          // put jobs off, each on a job queue
	audit     *audit.Log                    // nil: there is none
	telemetry *telemetry
}

// open makes a worker on a backend. It connects to nothing yet.
func (o workerOptions) open(b backend, log *slog.Logger) (*post, error) {
	p := &post{senders: map[string]queue.Sender{}}
	if err := o.fill(p, b, log); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// fill opens all of a post. What is in it is to be closed, also after an error.
func (o workerOptions) fill(p *post, b backend, log *slog.Logger) error {
	lanes, err := parseLanes(o.lanes)
	if err != nil {
		return err
	}
	f, err := o.grants(b)
	if err != nil {
		return err
	}
	p.rules.now.Store(f)
	c := o.config
	c.Log, c.Limits, c.Policy = log, schema.Limits{MaxItems: o.maxItems}, &p.rules
	if p.telemetry, err = newTelemetry(log, o.exports...); err != nil {
		return err
	}
	if err = p.telemetry.measure(o.health != ""); err != nil {
		return err
	}
	if c.Telemetry, err = o.observed(p.telemetry); err != nil {
		return err
	}
	if p.gates, err = newGates(f, o.gateSpec(b, lanes), log); err != nil {
		return err
	}
	if err = measureGates(p.telemetry.measured.meter(), p.gates); err != nil {
		return err
	}
	if p.vault, err = keyvault.New(p.traced(p.paced(o.vaultConfig(b)))); err != nil {
		return usageError(err)
	}
	c.Keys = p.vault
	if err = checkKeys(f, p.vault); err != nil {
		return usageError(err)
	}
	if p.audit, err = o.audit.open(log); err != nil {
		return err
	}
	if p.audit != nil {
		c.Audit = p.audit
	}
	if p.client, err = servicebus.New(b.Bus); err != nil {
		return usageError(err)
	}
	if err = p.sendSpans(o.traceQueue, f.Replies[0]); err != nil {
		return usageError(err)
	}
	if c.Replies, err = p.replies(f); err != nil {
		return usageError(err)
	}
	c.DefaultReply = f.Replies[0]
	return usageError(p.serveAll(c, f.JobQueues(o.jobs), lanes))
}

// gateSpec is what the gates of this worker have in common. Only the public cloud
// has stores that take an identity.
func (o workerOptions) gateSpec(b backend, lanes []lane) gateSpec {
	spec := gateSpec{inFlight: o.config.Concurrency, lanes: quotaLanes(lanes), linger: o.longestJob(), alone: o.alone}
	if o.azure.identity.cloud == cloudPublic {
		spec.identity = b.Vault.Credential
	}
	return spec
}

// serveAll adds the workers. Lanes belong to the first; the queue of a lane has
// no worker of its own.
func (p *post) serveAll(c worker.Config, jobs []string, lanes []lane) (err error) {
	isLane := func(name string) bool {
		return slices.ContainsFunc(lanes, func(l lane) bool { return strings.EqualFold(l.queue, name) })
	}
	p.jobs = slices.DeleteFunc(jobs, isLane)
	if len(p.jobs) == 0 {
		return errors.New("every job queue is a lane: leave one of --lane out")
	}
	c.Lanes, err = p.openLanes(lanes)
	for _, name := range p.jobs {
		if err == nil {
			err = p.serve(c, name)
		}
		c.Lanes = nil
	}
	return err
}

// serve adds a worker for a job queue. Workers have equal parts of what may be
// held, so that a queue that is full holds up no other.
func (p *post) serve(c worker.Config, name string) error {
	jobs, err := p.client.Receiver(name)
	if err != nil {
		return err // it asks nobody
	}
	later, err := p.client.Sender(name)
	if err != nil {
		return err
	}
	c.Jobs, c.Later, c.Pace = jobs, later, part{p.gates, len(p.jobs)}
	c.Telemetry.JobQueue = name
	if c.JobsHeld > 0 {
		c.JobsHeld = max(1, c.JobsHeld/len(p.jobs))
	}
	w, err := worker.New(c)
	if err != nil {
		return err
	}
	p.warmups, p.later = append(p.warmups, jobs.Warm), append(p.later, later)
	p.workers = append(p.workers, w)
	return nil
}

// part is one worker's part of the pace.
type part struct {
	*gates
	of int
}

// Pace implements worker.Pace.
func (p part) Pace() float64 { return p.gates.Pace() / float64(p.of) }

// replies returns links to the reply queues of f, and opens those that are new.
// It asks nobody. One that is named no more stays open: a job may still be
// answered there.
func (p *post) replies(f *policy.File) (map[string]queue.Sender, error) {
	senders := map[string]queue.Sender{}
	for _, name := range f.Replies {
		if p.senders[name] == nil {
			sender, err := p.client.Sender(name)
			if err != nil {
				return nil, err
			}
			p.senders[name] = sender
			p.warmups = append(p.warmups, sender.Warm)
		}
		senders[name] = p.senders[name]
	}
	return senders, nil
}

// longestJob is the time after which no job uses what it was once allowed.
func (o workerOptions) longestJob() time.Duration {
	attempts := cmp.Or(o.config.MaxDeliveries, defaultMaxDeliveries)
	return time.Duration(attempts) * (cmp.Or(o.config.JobTimeout, defaultJobTimeout) + worker.LongestPause)
}

// work works until ctx ends and drains, or until a job queue refuses its worker
// for good, which ends the others, too.
func (p *post) work(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	faults := make([]error, len(p.workers))
	var crew sync.WaitGroup
	for i, w := range p.workers {
		crew.Go(func() {
			if faults[i] = w.Run(ctx); faults[i] != nil {
				end()
			}
		})
	}
	crew.Wait()
	return errors.Join(faults...)
}

// paced sends all calls through the gate of their vault.
func (p *post) paced(c keyvault.Config) keyvault.Config {
	c.Gate, c.Costs = p.gates.gate, p.gates.costs
	return c
}

// vaultConfig keeps as many connections as there are calls at once: with fewer
// each burst would open new ones.
func (o workerOptions) vaultConfig(b backend) keyvault.Config {
	b.Vault.Concurrency = o.config.Concurrency
	return b.Vault
}

// closeTimeout bounds the end of the connections.
const closeTimeout = 5 * time.Second

// close ends what is open. The last spans still need the client.
func (p *post) close() {
	p.telemetry.close()
	if p.client != nil {
		closeClient(p.client)
	}
	if p.vault != nil {
		p.vault.Close()
	}
	if p.gates != nil {
		p.gates.close()
	}
	if p.audit != nil {
		p.audit.Close()
	}
}

func closeClient(client *servicebus.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	client.Close(ctx) //nolint:errcheck // nothing is left that could be lost
}
