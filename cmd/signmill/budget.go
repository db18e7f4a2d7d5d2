package main

import (
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/signmill/signmill/signer/quota"
)

// budgetFlags say what the vault allows, and which part of it is this
// replica's. The zero value paces nothing.
type budgetFlags struct {
	units int    // in 10 s, for all replicas; 0: calls are not paced
	share string // static:N, dns:NAME or dns:NAME,AGE; "": static:1
}

func (b *budgetFlags) add(f *pflag.FlagSet) {
	f.IntVar(&b.units, "quota", int(quota.KeyUnits), "what the vault allows all replicas in 10 s, in `UNITS` of one RSA-2048 or EC operation with a software key; 0 does not pace")
	f.StringVar(&b.share, "share", "static:1", "this replica's `PART` of the quota: static:N, one of N replicas; dns:NAME[,AGE], one of the addresses of a headless service")
}

// gate returns the gate for the vault at url, or nil. It is to be closed.
func (b budgetFlags) gate(url string, log *slog.Logger) (*quota.Gate, error) {
	if b.units == 0 {
		return nil, nil
	}
	share, err := b.parseShare(log)
	if err != nil {
		return nil, err
	}
	gate, err := quota.New(quota.Config{
		Quota:      quota.Units(b.units),
		Share:      share,
		ManagedHSM: strings.Contains(url, ".managedhsm."),
		Log:        log,
	})
	return gate, usageError(err)
}

// joining is how long a replica that joins sends nothing.
func (b budgetFlags) joining() time.Duration {
	share, _ := b.parseShare(nil) // gate refuses a wrong one
	dns, counts := share.(quota.DNS)
	switch {
	case b.units == 0 || !counts:
		return 0
	case dns.Age == 0:
		dns.Age = 30 * time.Second
	}
	return dns.Age + dns.Age/2
}

func (b budgetFlags) parseShare(log *slog.Logger) (quota.Share, error) {
	kind, rest, _ := strings.Cut(b.share, ":")
	switch kind {
	case "":
		return quota.Static{}, nil
	case "static":
		if n, err := strconv.Atoi(rest); err == nil && n > 0 {
			return quota.Static{Replicas: n}, nil
		}
	case "dns":
		name, text, aged := strings.Cut(rest, ",")
		share := quota.DNS{Name: name, Log: log}
		var err error
		if aged {
			share.Age, err = time.ParseDuration(text)
		}
		if name != "" && err == nil && (!aged || share.Age > 0) {
			return share, nil
		}
	}
	return nil, usagef("--share %q: use static:N, dns:NAME or dns:NAME,AGE, such as dns:signmill.default.svc.cluster.local,30s", b.share)
}
