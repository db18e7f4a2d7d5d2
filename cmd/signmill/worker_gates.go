package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker/policy"
)

// gates paces the calls to every vault that the rules name, and follows the
// rules when they change.
type gates struct {
	gateSpec
	log *slog.Logger

	mu           sync.RWMutex // guards the fields below
	vaults       map[string]*paced
	subscription *quota.Subscription // nil: none
	retired      []*paced            // whose place another one has taken
}

// gateSpec is what all gates have in common.
type gateSpec struct {
	inFlight int                   // calls to one vault at most
	lanes    map[string]quota.Lane // besides the one of all other jobs
	linger   time.Duration         // after which nothing uses a vault that the rules name no more
	alone    bool                  // no other replica counts, and none is told of this one

	identity azcore.TokenCredential // opens stores in Azure; nil: nothing does
}

// paced is a vault with its gate.
type paced struct {
	policy.Vault
	gate  *quota.Gate // nil: calls are not paced
	share quota.Share
	gone  *time.Timer // ends the gate; nil: the rules name the vault
}

// newGates makes the gates of a policy.
func newGates(f *policy.File, spec gateSpec, log *slog.Logger) (*gates, error) {
	g := &gates{gateSpec: spec, log: log, vaults: map[string]*paced{}}
	if f.Subscription > 0 {
		s, err := quota.NewSubscription(f.Subscription, 0, 0)
		if err != nil {
			return nil, usageError(err)
		}
		g.subscription = s
	}
	_, err := g.apply(f)
	return g, err
}

// placeOf is the same for all spellings of a vault's URL.
func placeOf(vault string) string {
	u, err := url.Parse(vault)
	if err != nil {
		return vault
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host
}

// gate returns the gate of a vault, or nil.
func (g *gates) gate(vault string, _ quota.Class) *quota.Gate {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if v := g.vaults[placeOf(vault)]; v != nil {
		return v.gate
	}
	return nil
}

// unshared says what keeps the part of a vault's quota away that its gate still
// waits for. nil: it has one, or nothing is found.
func (g *gates) unshared(ctx context.Context, vault string) error {
	g.mu.RLock()
	v := g.vaults[placeOf(vault)]
	g.mu.RUnlock()
	if v == nil || v.gate == nil || v.gate.State().Phase != quota.Joining {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	found := g.budget(v.Vault).examine(ctx)
	if found.result != resultProblem {
		return nil
	}
	return fmt.Errorf("%s: %s; %s", v.URL, found.detail, found.cure)
}

// stored reports whether a store grants parts of a vault's quota.
func (g *gates) stored(vault string) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	v := g.vaults[placeOf(vault)]
	if v == nil {
		return false
	}
	_, ok := v.share.(closing)
	return ok
}

// costs returns the prices of a vault.
func (g *gates) costs(vault string) quota.Costs {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if v := g.vaults[placeOf(vault)]; v != nil {
		return v.Costs
	}
	return nil
}

// Pace is that of all vaults together. It implements worker.Pace.
func (g *gates) Pace() float64 {
	g.mu.RLock()
	defer g.mu.RUnlock()
	sum := 0.0
	for _, v := range g.vaults {
		if v.gate == nil {
			return math.Inf(1)
		}
		if v.gone == nil {
			sum += v.gate.Pace()
		}
	}
	return sum
}

// apply makes the gates those of f, and says what waits for the next start. On
// an error nothing changes.
func (g *gates) apply(f *policy.File) (waits []string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fresh := map[string]*paced{}
	for _, name := range slices.Sorted(maps.Keys(f.Vaults)) {
		v := f.Vaults[name]
		old := g.vaults[placeOf(v.URL)]
		switch {
		case old != nil && (old.gate != nil) == (v.Quota > 0):
			if old.Share != v.Share {
				waits = append(waits, fmt.Sprintf("vaults.%s.share", name))
			}
		default:
			if fresh[placeOf(v.URL)], err = g.open(v); err != nil {
				for _, made := range fresh {
					made.close()
				}
				return nil, err
			}
		}
	}
	for place, v := range fresh {
		if old := g.vaults[place]; old != nil {
			old.gone = time.AfterFunc(g.linger, old.close)
			g.retired = append(g.retired, old)
		}
		g.vaults[place] = v
	}
	g.settle(f)
	if f.Subscription > 0 && g.subscription != nil {
		err = g.subscription.SetQuota(f.Subscription)
	} else if (f.Subscription > 0) != (g.subscription != nil) {
		waits = append(waits, "subscription")
	}
	return waits, err
}

// settle gives each vault its quota and prices, and lets go of those that f does
// not name.
func (g *gates) settle(f *policy.File) {
	named := map[string]policy.Vault{}
	for _, v := range f.Vaults {
		named[placeOf(v.URL)] = v
	}
	for place, v := range g.vaults {
		now, stays := named[place]
		if !stays {
			if v.gone == nil {
				v.gone = time.AfterFunc(g.linger, func() { g.forget(place, v) })
			}
			continue
		}
		if v.gone != nil {
			v.gone.Stop() // should it be too late, forget sees that it is not gone
			v.gone = nil
		}
		v.Costs = now.Costs
		if v.gate != nil && v.Quota != now.Quota {
			v.setQuota(now.Quota)
		}
		v.Quota = now.Quota
	}
}

// forget ends a vault whose time is over, unless it was named again.
func (g *gates) forget(place string, v *paced) {
	g.mu.Lock()
	gone := g.vaults[place] == v && v.gone != nil
	if gone {
		delete(g.vaults, place)
	}
	g.mu.Unlock()
	if gone {
		v.close()
	}
}

// budget is what the rules say of a vault.
func (g *gates) budget(v policy.Vault) budgetFlags {
	return budgetFlags{units: int(v.Quota), share: v.Share, identity: g.identity}
}

// open makes the gate of a vault.
func (g *gates) open(v policy.Vault) (*paced, error) {
	if v.Quota == 0 {
		return &paced{Vault: v}, nil
	}
	share, err := g.budget(v).parseShare(v.URL, g.log)
	if err != nil {
		return nil, err
	}
	if g.alone {
		if store, ok := share.(closing); ok {
			store.Close() //nolint:errcheck // it was not used
		}
		share = quota.Static{}
	}
	c := quota.Config{Quota: v.Quota, Share: share, MaxInFlight: g.inFlight, Lanes: g.lanes, Log: g.log.With("vault", v.URL)}
	if c.ManagedHSM = strings.Contains(v.URL, ".managedhsm."); !c.ManagedHSM {
		c.Subscription = g.subscription // which knows vaults only
	}
	gate, err := quota.New(c)
	return &paced{Vault: v, gate: gate, share: share}, usageError(err)
}

// setQuota changes the quota of the gate, and of a store that grants it.
func (v *paced) setQuota(units quota.Units) {
	if store, ok := v.share.(interface{ SetQuota(quota.Units) error }); ok {
		store.SetQuota(units) //nolint:errcheck // it was checked to be positive
	}
	v.gate.SetQuota(units) //nolint:errcheck // likewise
}

func (v *paced) close() {
	if v != nil && v.gate != nil {
		v.gate.Close()
	}
}

// close ends all gates. What is in flight may still leave.
func (g *gates) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, v := range append(slices.Collect(maps.Values(g.vaults)), g.retired...) {
		if v.gone != nil {
			v.gone.Stop()
		}
		v.close()
	}
}

// report tells what became of each quota.
func (g *gates) report() {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, place := range slices.Sorted(maps.Keys(g.vaults)) {
		if v := g.vaults[place]; v.gate != nil {
			g.log.Info("worker ends", "gate", v.gate.State(), "vault", v.URL)
		}
	}
}

// joining is how long a replica that joins sends nothing to some vault.
func joining(f *policy.File) time.Duration {
	var longest time.Duration
	for _, v := range f.Vaults {
		longest = max(longest, budgetFlags{units: int(v.Quota), share: v.Share}.joining())
	}
	return longest
}
