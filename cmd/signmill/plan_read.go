package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/estimate"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/quota"
)

// read checks the flags, and reads the loads unless a vault is to be asked.
func (o *planOptions) read() error {
	o.effort.Operation, o.effort.Quota = schema.Operation(o.operation), quota.Units(o.quota)
	switch {
	case !slices.Contains(plannedOperations(), o.operation):
		return usagef("--operation %q: use one of %s", o.operation, strings.Join(plannedOperations(), ", "))
	case o.quota < 1 || o.quota > mostUnits:
		return usagef("--quota %d: use 1 to %d", o.quota, mostUnits)
	case o.effort.Replicas < 1 || o.effort.Replicas > mostReplicas:
		return usagef("--replicas %d: use 1 to %d", o.effort.Replicas, mostReplicas)
	case o.effort.Concurrency < 1:
		return usagef("--concurrency %d: use 1 or more", o.effort.Concurrency)
	case o.effort.Latency <= 0:
		return usagef("--latency %s must be more than nothing", o.effort.Latency)
	case o.allowKey != "" && o.kind != "":
		return usagef("--key and --allow-key exclude each other")
	case len(o.loads) > 0 && (o.items != 0 || o.kind != "" || o.allowKey != ""):
		return usagef("--load says it all: leave out --items, --key and --allow-key")
	case len(o.loads) > 0:
		return o.readLoads()
	case o.kind == "" && o.allowKey == "":
		return usagef("which key? give --key KIND, --load KIND=N, or --vault and --allow-key")
	}
	if err := countable("--items", o.items); err != nil || o.allowKey != "" {
		return err
	}
	k, err := o.readLoaded("key", o.kind)
	o.effort.Loads = []estimate.Load{{Kind: k, Items: o.items}}
	return err
}

// Bounds that keep the arithmetic exact.
const (
	mostItems    = 1e12
	mostUnits    = 10_000_000
	mostReplicas = 1_000_000
	mostPrice    = 1_000_000
)

// countable refuses numbers that are no number of items.
func countable(flag string, n int64) error {
	if n < 1 || n > mostItems {
		return usagef("%s %d: use 1 to %d", flag, n, int64(mostItems))
	}
	return nil
}

func (o *planOptions) readLoads() error {
	for _, text := range o.loads {
		name, number, _ := strings.Cut(text, "=")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return usagef("--load %q: use KIND=N, such as RSA-2048=100000", text)
		}
		if err := countable("--load "+name, n); err != nil {
			return err
		}
		k, err := o.readLoaded("load", name)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(o.effort.Loads, func(l estimate.Load) bool { return l.Kind == k }) {
			return usagef("--load %q: %s is there already", text, k.Name)
		}
		o.effort.Loads = append(o.effort.Loads, estimate.Load{Kind: k, Items: n})
	}
	return nil
}

// readPrices reads prices of the kinds that are used. A price of another kind
// is a misspelt one.
func (o *planOptions) readPrices() error {
	o.effort.Prices = map[string]float64{}
	for _, text := range o.prices {
		name, number, _ := strings.Cut(text, "=")
		amount, err := strconv.ParseFloat(number, 64)
		if err != nil || !(amount >= 0 && amount <= mostPrice) {
			return usagef("--price %q: use KIND=AMOUNT, the amount for 10,000 operations, from 0 to %d, such as RSA-2048=0.05", text, mostPrice)
		}
		k, err := readKind("price", name)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(o.effort.Loads, func(l estimate.Load) bool { return l.Kind == k }) {
			return usagef("--price %q: no operation uses such a key", text)
		}
		if _, twice := o.effort.Prices[k.Name]; twice {
			return usagef("--price %q: %s has a price already", text, k.Name)
		}
		o.effort.Prices[k.Name] = amount
	}
	return nil
}

// readLoaded reads the kind of key of a load.
func (o *planOptions) readLoaded(flag, text string) (estimate.Kind, error) {
	k, err := readKind(flag, text)
	if err == nil {
		err = o.checkKind("--"+flag, k)
	}
	return k, err
}

// checkKind refuses a key that cannot do the operation, or cannot be where it is
// said to be.
func (o *planOptions) checkKind(flag string, k estimate.Kind) error {
	switch operation := o.effort.Operation; {
	case o.effort.ManagedHSM && !k.Class.HSM:
		return usagef("%s: %s is a software key, and a Managed HSM holds HSM keys only", flag, k.Name)
	case k.Class.Type == quota.EC && operation != schema.Sign && operation != schema.Verify:
		return usagef("%s: %s is an EC key, which signs and verifies only; --operation is %s", flag, k.Name, operation)
	}
	return nil
}

// readKind reads a kind of key from a flag.
func readKind(flag, text string) (estimate.Kind, error) {
	k, err := estimate.ParseKind(text)
	if err != nil {
		return k, usagef("--%s %w", flag, err)
	}
	return k, nil
}
