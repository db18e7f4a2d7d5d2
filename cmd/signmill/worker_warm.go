package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/worker/policy"
)

// keysTimeout bounds how long a worker waits for its keys at the start, once
// it may ask for them.
const keysTimeout = 30 * time.Second

// warm reports now what would otherwise be found out with the first job.
func (p *post) warm(ctx context.Context, log *slog.Logger) error {
	if err := warmQueues(ctx, p.warmups...); err != nil {
		return err
	}
	for i, later := range p.later {
		if err := later.Warm(ctx); err != nil && ctx.Err() == nil {
			log.Warn("jobs cannot be put off, and are given back at once instead", "queue", p.jobs[i], "error", err)
		}
	}
	return p.warmKeys(ctx, log)
}

// warmQueues tries all at once, so that a host that does not answer costs one
// time limit and not one for each queue.
func warmQueues(ctx context.Context, warmups ...func(context.Context) error) error {
	faults := make([]error, len(warmups))
	var crew sync.WaitGroup
	for i, warm := range warmups {
		crew.Go(func() { faults[i] = warm(ctx) })
	}
	crew.Wait()
	err := errors.Join(faults...)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the queues cannot be used: the broker does not answer; check its name, the network and its firewall: %w", err)
	}
	if err != nil {
		return fmt.Errorf("the queues cannot be used: %w", err)
	}
	return nil
}

// warmKeys asks the vault for every key that is allowed. A key that cannot be
// used is a warning, because the others may serve; without any there is nothing
// to serve with, and every job taken would only use up an attempt.
func (p *post) warmKeys(ctx context.Context, log *slog.Logger) error {
	f := p.rules.now.Load()
	within, cancel := context.WithTimeout(ctx, joining(f)+keysTimeout)
	defer cancel()
	names := slices.Sorted(maps.Keys(f.Keys))
	faults := make([]error, len(names))
	var crew sync.WaitGroup
	for i, name := range names {
		crew.Go(func() { faults[i] = p.warmKey(within, f.Ref(f.Keys[name]), f.Keys[name].Operations) })
	}
	crew.Wait()
	p.blameShares(ctx, f, names, faults)
	usable := slices.Contains(faults, nil)
	if !usable {
		return fmt.Errorf("no key can be used: %w", errors.Join(faults...))
	}
	for i, err := range faults {
		if err != nil {
			log.Warn("key cannot be used", "key", names[i], "error", err)
		}
	}
	return nil
}

// blameShares puts what keeps a vault's part of the quota away in the place of
// the faults of its keys: the vault was not even asked.
func (p *post) blameShares(ctx context.Context, f *policy.File, names []string, faults []error) {
	causes := map[string]error{}
	for i, name := range names {
		vault := f.Keys[name].Vault
		if faults[i] == nil {
			continue
		}
		if _, known := causes[vault]; !known {
			causes[vault] = p.gates.unshared(ctx, f.Vaults[vault].URL)
		}
		if causes[vault] != nil {
			faults[i] = fmt.Errorf("key %s: %w", name, causes[vault])
		}
	}
}

// warmKey fails when no allowed operation can be done with a key.
func (p *post) warmKey(ctx context.Context, ref signer.Ref, operations []schema.Operation) error {
	key, err := p.vault.Resolve(ctx, ref)
	if err != nil {
		return err
	}
	return checkUse(key, operations)
}
