package main

import (
	"math"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/quota"
)

// load is a number of operations with keys of one kind.
type load struct {
	Kind  kind
	Items int64
}

// effort is what a campaign consists of, and what it may use.
type effort struct {
	Loads       []load
	Operation   schema.Operation
	Quota       quota.Units // in a window, for all replicas
	Replicas    int
	Concurrency int // calls in flight in each replica
	Latency     time.Duration
	ManagedHSM  bool               // no quota, but the pool's own speed
	Prices      map[string]float64 // of 10,000 operations, by the name of a kind
}

// What an estimate takes for granted about workers.
const (
	planGuard    = 0.99             // the part of the quota that workers plan for
	planWindow   = 10 * time.Second // the span that a quota counts for
	planReread   = 5 * time.Minute  // workers look for a new version of a key so often
	planInFlight = 256              // the gate lets no more be in flight
)

// bound is what decides how long a campaign takes.
type bound string

// The bounds.
const (
	boundNone        bound = "none"        // there are no calls
	boundQuota       bound = "quota"       // of the vault
	boundConcurrency bound = "concurrency" // calls in flight by the time each takes
	boundPool        bound = "pool"        // the hardware of a Managed HSM
)

// estimate is how long a campaign takes and what it costs.
type estimate struct {
	Operations int64
	Calls      int64   // to the vault, reads of keys included
	Reads      int64   // of keys
	Units      float64 // what Calls cost
	QuotaRate  float64 // calls in a second that the quota allows; 0: no quota
	FleetRate  float64 // calls in a second that the replicas can make
	PoolRate   float64 // calls in a second that the hardware can make; 0: not known
	Bound      bound
	Time       time.Duration
	Windows    int64
	Useful     int     // replicas beyond which more only share the same; 0: no limit is known
	Cost       float64 // in the currency of the prices
	Unpriced   []string
}

// callsFor returns the calls of one operation. What needs the public half only
// is done by the worker. An HMAC is checked by a second call.
func callsFor(c quota.Class, o schema.Operation) int64 {
	symmetric := c.Type == quota.Oct
	switch o {
	case schema.Verify, schema.Encrypt, schema.WrapKey:
		if !symmetric {
			return 0
		}
	case schema.Sign:
		if symmetric {
			return 2
		}
	}
	return 1
}

// estimate works out the campaign.
func (f effort) estimate() estimate {
	var e estimate
	var costs quota.Costs
	busy := 0.0 // seconds of the pool's hardware; infinite when that is not known
	for _, l := range f.Loads {
		calls := l.Items * callsFor(l.Kind.Class, f.Operation)
		e.Operations += l.Items
		e.Calls += calls
		e.Units += float64(calls) * float64(costs.Of(l.Kind.Class))
		if calls > 0 {
			busy += float64(calls) / poolSpeed(l.Kind.Class, f.Operation)
		}
		f.price(&e, l.Kind.Name, calls)
	}
	e.Bound = boundNone
	e.FleetRate = float64(f.Replicas) * f.replicaRate()
	if e.Calls == 0 {
		return e
	}
	f.rates(&e, busy)
	f.reread(&e)
	e.Windows = int64(math.Ceil(float64(e.Time) / float64(planWindow)))
	return e
}

// price adds what calls with a kind of key cost.
func (f effort) price(e *estimate, name string, calls int64) {
	switch price, priced := f.Prices[name]; {
	case priced:
		e.Cost += price * float64(calls) / 10_000
	case calls > 0 && len(f.Prices) > 0:
		e.Unpriced = append(e.Unpriced, name)
	}
}

// rates finds the bound, the time, and how many replicas are of use.
func (f effort) rates(e *estimate, busy float64) {
	rate := e.FleetRate
	e.Bound = boundConcurrency
	limit := 0.0
	if f.ManagedHSM {
		e.PoolRate = float64(e.Calls) / busy
		limit = e.PoolRate
	} else {
		e.QuotaRate = f.unitRate() * float64(e.Calls) / e.Units
		limit = e.QuotaRate
	}
	if limit > 0 {
		e.Useful = max(1, int(math.Ceil(limit/f.replicaRate())))
	}
	if limit > 0 && limit <= rate {
		rate = limit
		e.Bound = boundQuota
		if f.ManagedHSM {
			e.Bound = boundPool
		}
	}
	e.Time = seconds(float64(e.Calls) / rate)
}

// reread adds what workers spend on looking for new versions of the keys. A
// worker does not know a key's kind before, and pays as for the dearest.
func (f effort) reread(e *estimate) {
	looks := 1 + int64(e.Time/planReread)
	e.Reads = looks * int64(len(f.Loads)) * int64(f.Replicas)
	units := float64(e.Reads) * float64(quota.Costs(nil).Of(quota.Class{}))
	e.Calls += e.Reads
	e.Units += units
	if e.Bound == boundQuota {
		e.Time += seconds(units / f.unitRate())
	}
}

// unitRate is what workers plan to spend in a second, together.
func (f effort) unitRate() float64 { return planGuard * float64(f.Quota) / planWindow.Seconds() }

// replicaRate is the calls in a second that fit into one replica: by Little's
// law the calls in flight are the rate times the time that each takes.
func (f effort) replicaRate() float64 {
	return float64(min(f.Concurrency, planInFlight)) / f.Latency.Seconds()
}

// seconds is a span, at most what a duration holds.
func seconds(s float64) time.Duration {
	if s >= math.MaxInt64/1e9 {
		return math.MaxInt64
	}
	return time.Duration(s * 1e9)
}
