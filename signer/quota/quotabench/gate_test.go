package quotabench

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/quota"
)

// gateStatic is signmill's gate, told the number of replicas once.
func gateStatic() contestant {
	return gate("static", func(_ context.Context, s seat) quota.Share { return quota.Static{Replicas: s.fleet.replicas} })
}

// gateDNS is signmill's gate with a headless service, whose record may be 5 s
// old.
func gateDNS() contestant { return gate("dns", counted) }

func counted(_ context.Context, s seat) quota.Share {
	return quota.DNS{Name: "signmill", Age: cached, Lookup: func(context.Context, string) ([]string, error) {
		return s.fleet.resolve(s.replica)
	}}
}

// gateClient is gateDNS as a worker has it: behind signmill's client, which
// calls through the official one and verifies each signature.
func gateClient() contestant {
	return contestant{name: "client", workers: 64, open: func(ctx context.Context, s seat) job {
		g := openGate(ctx, s, counted(ctx, s))
		client, err := keyvault.New(keyvault.Config{
			Credential: token{}, Transport: s.link, Retry: keyvault.Retry{Attempts: 1000},
			Gate: func(string, quota.Class) *quota.Gate { return g },
		})
		if err != nil {
			s.t.Error(err)
		}
		return func(ctx context.Context, k Key) error {
			key, err := client.Resolve(ctx, signer.Ref{Vault: s.link.vault.URL(), Name: k.Name})
			if err == nil {
				_, err = client.Sign(ctx, key, schema.RS256, Digest())
			}
			return err
		}
	}}
}

// openGate opens a gate that closes when ctx ends.
func openGate(ctx context.Context, s seat, share quota.Share) *quota.Gate {
	g, err := quota.New(quota.Config{
		Quota: quota.Units(s.planned), Guard: guard(s.keys), Share: share,
		Random: rand.NewPCG(s.seed, uint64(2000+s.replica)),
	})
	if err != nil {
		s.t.Error(err)
		return nil
	}
	context.AfterFunc(ctx, g.Close)
	return g
}

// gate is signmill's gate with a source of its share.
func gate(name string, share func(context.Context, seat) quota.Share) contestant {
	return contestant{name: name, workers: 64, open: func(ctx context.Context, s seat) job {
		g := openGate(ctx, s, share(ctx, s))
		return func(ctx context.Context, k Key) error {
			pass, err := g.Enter(ctx, quota.Units(k.Cost))
			for err == nil {
				err = s.link.Call(ctx, k)
				pass.Leave(ended(err))
				if !refused(err) {
					return err
				}
				pass, err = pass.Again(ctx)
			}
			if errors.Is(err, quota.ErrClosed) {
				return context.Cause(ctx)
			}
			return err
		}
	}}
}

// ended tells the gate how a call went.
func ended(err error) quota.Result {
	refusal, refused := errors.AsType[*Throttled](err)
	switch {
	case err == nil:
		return quota.Result{Outcome: quota.Accepted}
	case refused:
		return quota.Result{Outcome: quota.Throttled, RetryAfter: refusal.After}
	}
	return quota.Result{}
}

// guard is the part of the quota that is planned for.
func guard(keys mix) float64 {
	if keys.name == "mixed" {
		return 0.99
	}
	return 0.995
}
