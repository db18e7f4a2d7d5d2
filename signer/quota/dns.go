package quota

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// DNS is a Share that counts the addresses of a headless service, one for each
// replica. The service must publish addresses of replicas that are not ready
// (publishNotReadyAddresses): they send too, and the first one would find none.
type DNS struct {
	// Name of the service, for instance signmill.jobs.svc.cluster.local.
	Name string

	// Age is how old an answer may be: the record's TTL and what caches add.
	// The replica sends nothing until the others must have seen it, 1.5
	// times Age after its start. Zero: 30 s.
	Age time.Duration

	// Every is the time between lookups. Zero: a fifth of Age, at least 1 s.
	Every time.Duration

	// Lookup resolves Name. nil: net.DefaultResolver.LookupHost.
	Lookup func(ctx context.Context, name string) ([]string, error)

	// Log gets a warning when lookups begin to fail. nil: nothing is logged.
	Log *slog.Logger
}

// Run looks the name up until ctx ends. While that fails the last count stays
// in force; before the first answer nothing is sent, since a count that is too
// low would storm the vault.
func (d DNS) Run(ctx context.Context, tell func(Part)) error {
	d = d.filled()
	joins := time.Now().Add(d.Age + d.Age/2)
	timer := time.NewTimer(d.Every)
	defer timer.Stop()
	told, failing := 0, false
	for {
		count, err := d.count(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			d.Log.WarnContext(ctx, "replicas cannot be counted", "name", d.Name, "replicas", told, "err", err)
		}
		failing = err != nil
		joining := time.Until(joins)
		if err == nil && joining <= 0 && count != told {
			told = count
			tell(Part{Replicas: count})
		}
		wait := d.Every
		if joining > 0 {
			wait = min(wait, joining)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
	}
}

// count returns the number of replicas, at least 1.
func (d DNS) count(ctx context.Context) (int, error) {
	bounded, cancel := context.WithTimeout(ctx, d.Age)
	defer cancel()
	addresses, err := d.Lookup(bounded, d.Name)
	if err != nil {
		return 0, err
	}
	four, six := map[string]bool{}, map[string]bool{}
	for _, text := range addresses {
		// With two families each replica has an address in both.
		if a, err := netip.ParseAddr(text); err == nil && a.Unmap().Is6() {
			six[text] = true
		} else {
			four[text] = true
		}
	}
	return max(1, len(four), len(six)), nil
}

func (d DNS) faults() []error {
	var faults []error
	if d.Name == "" {
		faults = append(faults, errors.New("DNS: no Name is given"))
	}
	if d.Age < 0 || d.Every < 0 {
		faults = append(faults, errors.New("DNS: a negative Age or Every"))
	}
	return faults
}

func (d DNS) filled() DNS {
	orElse(&d.Age, 30*time.Second)
	orElse(&d.Every, max(time.Second, d.Age/5))
	orElse(&d.Log, slog.New(slog.DiscardHandler))
	if d.Lookup == nil {
		d.Lookup = net.DefaultResolver.LookupHost
	}
	return d
}
