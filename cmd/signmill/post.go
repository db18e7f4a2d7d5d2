package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker"
	"github.com/signmill/signmill/worker/audit"
)

// post is a worker with its connections.
type post struct {
	worker  *worker.Worker
	client  *servicebus.Client
	vault   *keyvault.Client
	gate    *quota.Gate   // nil: calls are not paced
	joining time.Duration // until the first call may be sent
	allowed worker.Allowance
	warmups []func(context.Context) error // of the queues
	later   *servicebus.Sender            // puts jobs off
	audit   *audit.Log                    // nil: there is none
}

// open makes a worker on a backend. It connects to nothing yet.
func (o workerOptions) open(b backend, log *slog.Logger) (p *post, err error) {
	c := o.config
	c.Log, c.Limits = log, schema.Limits{MaxItems: o.maxItems}
	p = &post{joining: o.budget.joining()}
	if p.allowed, err = o.allowance(b.VaultURL); err != nil {
		return nil, err
	}
	lanes, err := parseLanes(o.lanes)
	if err != nil {
		return nil, err
	}
	gate, err := o.budget.gate(b.VaultURL, o.config.Concurrency, quotaLanes(lanes), log)
	if err != nil {
		return nil, err
	}
	if gate != nil {
		p.gate, c.Pace = gate, gate
		defer func() {
			if err != nil {
				gate.Close()
			}
		}()
	}
	if p.vault, err = keyvault.New(p.paced(o.vaultConfig(b))); err != nil {
		return nil, usageError(err)
	}
	if err = p.checkKeys(); err != nil {
		return nil, usageError(err)
	}
	if p.client, err = servicebus.New(b.Bus); err != nil {
		return nil, usageError(err)
	}
	c.Policy, c.Keys = p.allowed, p.vault
	jobs, err := p.client.Receiver(o.jobs)
	if err != nil {
		return nil, usageError(err) // it asks nobody
	}
	p.warmups = append(p.warmups, jobs.Warm)
	if p.later, err = p.client.Sender(o.jobs); err != nil {
		return nil, usageError(err)
	}
	c.Later = p.later
	if c.Lanes, err = p.openLanes(lanes); err != nil {
		return nil, err
	}
	c.Jobs, c.DefaultReply, c.Replies = jobs, o.replies, map[string]queue.Sender{}
	for _, name := range append([]string{o.replies}, o.allowReply...) {
		sender, err := p.client.Sender(name)
		if err != nil {
			return nil, usageError(err)
		}
		c.Replies[name] = sender
		p.warmups = append(p.warmups, sender.Warm)
	}
	if p.audit, err = o.audit.open(log); err != nil {
		return nil, err
	}
	if p.audit != nil {
		c.Audit = p.audit
	}
	p.worker, err = worker.New(c)
	return p, usageError(err)
}

// paced sends all calls through the worker's gate.
func (p *post) paced(c keyvault.Config) keyvault.Config {
	c.Gate = func(string, quota.Class) *quota.Gate { return p.gate }
	return c
}

// vaultConfig keeps as many connections as there are calls at once: with fewer
// each burst would open new ones.
func (o workerOptions) vaultConfig(b backend) keyvault.Config {
	b.Vault.Concurrency = o.config.Concurrency
	return b.Vault
}

// checkKeys refuses keys that no vault could have, before one is asked.
func (p *post) checkKeys() error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(p.allowed.Keys)) {
		faults = append(faults, p.vault.Check(p.allowed.Keys[name]))
	}
	return errors.Join(faults...)
}

// closeTimeout bounds the end of the connections.
const closeTimeout = 5 * time.Second

func (p *post) close() {
	closeClient(p.client)
	p.vault.Close()
	if p.gate != nil {
		p.gate.Close()
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
