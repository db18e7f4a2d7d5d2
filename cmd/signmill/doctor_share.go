package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker/policy"
)

// share finds out whether the worker would get its part of a vault's quota. The
// doctor itself takes none: a worker that joins may have to wait for the others
// to see it.
func (v *visit) share(ctx context.Context, vault policy.Vault) {
	v.try(ctx, "share", "vault", v.post.gates.budget(vault).examine)
}

// examine tries what the share names.
func (b budgetFlags) examine(ctx context.Context) verdict {
	if b.units == 0 {
		return well("calls are not paced")
	}
	// The store keeps a record for each vault. This one is the doctor's own.
	share, err := b.parseShare("https://doctor."+rand.Text(), nil)
	if err != nil {
		return ill(err.Error(), "mend --share")
	}
	of := display.Grouped(int64(b.units)) + " units in 10 s"
	switch s := share.(type) {
	case quota.DNS:
		return countReplicas(ctx, s, of)
	case closing:
		defer s.Close()                       //nolint:errcheck // nothing is left that could be lost
		if login := b.login(); login != nil { // which may take longer than a store may
			if _, _, err := login(ctx); err != nil {
				return ill(err.Error(), "mend --auth, or put a password into "+redisPassword)
			}
		}
		return tryStore(ctx, s, of)
	case quota.Static:
		if s.Replicas > 1 {
			return well("1/%d of %s: no more replicas than these may run", s.Replicas, of)
		}
	}
	return well("%s, all for this replica: no other may run", of)
}

// countReplicas looks the service up, as each replica does.
func countReplicas(ctx context.Context, s quota.DNS, of string) verdict {
	found, err := net.DefaultResolver.LookupHost(ctx, s.Name)
	if err != nil {
		return ill("replicas cannot be counted, and a worker sends nothing to the vault: "+err.Error(),
			"make a headless service of this name for the workers, with publishNotReadyAddresses, or mend --share")
	}
	return well("%s, shared by as many replicas as %s has addresses: %d now", of, s.Name, len(found))
}

// tryStore has the store do what it does for a worker.
func tryStore(ctx context.Context, s closing, of string) verdict {
	begin := time.Now()
	if err := s.Report(ctx, nil); err != nil {
		return ill("the store cannot be used, and a worker sends nothing to the vault: "+display.Cut(errors.Unwrap(err).Error(), 300), storeCure(err))
	}
	return well("%s, granted by the store, which answered within %s", of, time.Since(begin).Round(time.Millisecond))
}
