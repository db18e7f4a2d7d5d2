package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/campaign"
	"github.com/signmill/signmill/cmd/signmill/internal/verify"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
)

// links are a submitter's connections.
type links struct {
	jobs    queue.Sender
	replies queue.Receiver
	keys    *campaign.Keyring
	closing []func() // in order
}

func (l *links) close() {
	for _, end := range l.closing {
		end()
	}
}

// connect opens what a campaign needs, and finds out now whether it can be
// used.
func (o signOptions) connect(s stages, run string, log *slog.Logger) (*links, error) {
	l := &links{}
	if err := o.open(s, l, run, log); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// open fills l; what is in it is to be closed, also after an error.
func (o signOptions) open(s stages, l *links, run string, log *slog.Logger) error {
	b, err := o.backend(s, l, company{Keys: []localKey{{o.to.Key, o.algorithm.Algorithm}}}, log)
	if err != nil {
		return err
	}
	if l.keys, err = o.keyring(s.Soft, b, l); err != nil {
		return err
	}
	return o.openQueues(s.Soft, b, l, run, log)
}

// openQueues connects to the broker.
func (o queueOptions) openQueues(ctx context.Context, b backend, l *links, run string, log *slog.Logger) error {
	client, err := servicebus.New(b.Bus)
	if err != nil {
		return usageError(err)
	}
	l.closing = append([]func(){func() { closeClient(client) }}, l.closing...)
	jobs, err := client.Sender(o.jobs)
	if err != nil {
		return usageError(err) // it asks nobody
	}
	if l.jobs, err = o.traced(jobs, l, log); err != nil {
		return err
	}
	if o.noWait {
		return warmQueues(ctx, jobs.Warm)
	}
	replies, err := o.receiver(ctx, client, run)
	if err != nil {
		return fmt.Errorf("the reply queue cannot be used: %w", err)
	}
	if err := warmQueues(ctx, jobs.Warm, replies.Warm); err != nil {
		return err
	}
	l.replies = replies
	return nil
}

func (o queueOptions) receiver(ctx context.Context, client *servicebus.Client, run string) (*servicebus.Receiver, error) {
	if o.session {
		return client.SessionReceiver(ctx, o.replies, run)
	}
	return client.Receiver(o.replies)
}

// keyring finds out which public keys count. A key of the vault is asked for
// at once, so that a wrong name or type costs no job.
func (o signOptions) keyring(ctx context.Context, b backend, l *links) (*campaign.Keyring, error) {
	if o.publicKey != "" && !o.local {
		public, err := verify.ReadPublicKey(o.publicKey)
		if err != nil {
			return nil, err
		}
		return &campaign.Keyring{Pinned: public}, signer.Fits(signer.Key{Public: public}, o.algorithm.Algorithm)
	}
	vault, err := keyvault.New(b.Vault)
	if err != nil {
		return nil, usageError(err)
	}
	l.closing = append(l.closing, vault.Close)
	k := &campaign.Keyring{Resolver: vault, Ref: signer.Ref{Vault: b.VaultURL, Name: o.to.Key}}
	if o.vaultKey != "" && !o.local {
		k.Ref.Name = o.vaultKey
	}
	if err := vault.Check(k.Ref); err != nil {
		return nil, usageError(err)
	}
	key, err := vault.Resolve(ctx, k.Ref)
	if err != nil {
		return nil, err
	}
	return k, signer.Fits(key, o.algorithm.Algorithm)
}

// company is what --local brings along.
type company struct {
	Keys       []localKey
	Operations []string // that its worker allows; empty: sign
}

// backend returns the values for Azure, or starts a stack with a worker and
// returns the values for that.
func (o queueOptions) backend(s stages, l *links, with company, log *slog.Logger) (backend, error) {
	if !o.local {
		return o.azure.backend(log)
	}
	st, err := newStack(stackSpec{
		Queues: []localQueue{{Name: o.jobs}, {Name: o.replies, Duplicates: true, Sessions: o.session}},
		Keys:   with.Keys,
		Log:    log,
	})
	if err != nil {
		return backend{}, err
	}
	b := st.backend(localVaultURL)
	_, stop, err := startWorker(s.Hard, b, o.localWorker(with), log)
	if err != nil {
		st.close()
		return backend{}, err
	}
	l.closing = append(l.closing, stop, st.close)
	return b, nil
}

// localWorker are the options of the worker that --local brings along.
func (o queueOptions) localWorker(with company) workerOptions {
	w := workerOptions{jobs: o.jobs, replies: o.replies, allowOperation: with.Operations}
	w.config.DrainTimeout = localDrain
	for _, k := range with.Keys {
		w.allowKey = append(w.allowKey, k.Name)
	}
	return w
}

// localDrain is short: the jobs of a local worker are lost at the end anyway.
const localDrain = time.Second

// startWorker lets a worker run beside a command until stop, which waits. Page
// is where --health serves; "": nowhere.
func startWorker(ctx context.Context, b backend, o workerOptions, log *slog.Logger) (page string, stop func(), err error) {
	p, err := o.open(b, log)
	if err != nil {
		return "", nil, err
	}
	h, err := o.serveHealth(p, log)
	if err != nil {
		p.close()
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	h.serves(ctx) // queues and keys are those of this process
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.run(ctx); err != nil {
			log.Error("worker ended", "error", err)
		}
	})
	return h.at, func() {
		cancel()
		running.Wait()
		h.stop()
		p.close()
	}, nil
}
