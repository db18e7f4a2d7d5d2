package estimate

import (
	"fmt"
	"math"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/quota"
)

// Load is a number of operations with keys of one kind.
type Load struct {
	Kind  Kind
	Items int64
}

// Effort is what a campaign consists of, and what it may use.
type Effort struct {
	Loads       []Load
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
	guard    = 0.99             // the part of the quota that workers plan for
	window   = 10 * time.Second // the span that a quota counts for
	reread   = 5 * time.Minute  // workers look for a new version of a key so often
	InFlight = 256              // the gate lets no more be in flight
)

// Bound is what decides how long a campaign takes.
type Bound string

// The bounds.
const (
	Unbound       Bound = "none"        // there are no calls
	ByQuota       Bound = "quota"       // of the vault
	ByConcurrency Bound = "concurrency" // calls in flight by the time each takes
	ByPool        Bound = "pool"        // the hardware of a Managed HSM
)

// Estimate is how long a campaign takes and what it costs.
type Estimate struct {
	Operations int64
	Calls      int64   // to the vault, reads of keys included
	Reads      int64   // of keys
	Units      float64 // what Calls cost
	QuotaRate  float64 // calls in a second that the quota allows; 0: no quota
	FleetRate  float64 // calls in a second that the replicas can make
	PoolRate   float64 // calls in a second that the hardware can make; 0: not known
	Bound      Bound
	Time       time.Duration
	Windows    int64
	Useful     int     // replicas beyond which more only share the same; 0: no limit is known
	Cost       float64 // in the currency of the prices
	Unpriced   []string
}

// Calls returns the calls of one operation. What needs the public half only
// is done by the worker. An HMAC is checked by a second call.
func Calls(c quota.Class, o schema.Operation) int64 {
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

// Estimate works out the campaign.
func (f Effort) Estimate() Estimate {
	var e Estimate
	var costs quota.Costs
	busy := 0.0 // seconds of the pool's hardware; infinite when that is not known
	for _, l := range f.Loads {
		calls := l.Items * Calls(l.Kind.Class, f.Operation)
		e.Operations += l.Items
		e.Calls += calls
		e.Units += float64(calls) * float64(costs.Of(l.Kind.Class))
		if calls > 0 {
			busy += float64(calls) / poolSpeed(l.Kind.Class, f.Operation)
		}
		f.price(&e, l.Kind.Name, calls)
	}
	e.Bound = Unbound
	e.FleetRate = float64(f.Replicas) * f.replicaRate()
	if e.Calls == 0 {
		return e
	}
	f.rates(&e, busy)
	f.reread(&e)
	e.Windows = int64(math.Ceil(float64(e.Time) / float64(window)))
	return e
}

// price adds what calls with a kind of key cost.
func (f Effort) price(e *Estimate, name string, calls int64) {
	switch price, priced := f.Prices[name]; {
	case priced:
		e.Cost += price * float64(calls) / 10_000
	case calls > 0 && len(f.Prices) > 0:
		e.Unpriced = append(e.Unpriced, name)
	}
}

// rates finds the bound, the time, and how many replicas are of use.
func (f Effort) rates(e *Estimate, busy float64) {
	rate := e.FleetRate
	e.Bound = ByConcurrency
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
		e.Bound = ByQuota
		if f.ManagedHSM {
			e.Bound = ByPool
		}
	}
	e.Time = seconds(float64(e.Calls) / rate)
}

// reread adds what workers spend on looking for new versions of the keys. The
// first time a worker does not know a key's kind, and pays as for the dearest.
func (f Effort) reread(e *Estimate) {
	looks := 1 + int64(e.Time/reread)
	e.Reads = looks * int64(len(f.Loads)) * int64(f.Replicas)
	var costs quota.Costs
	each := 0.0 // units that one worker pays
	for _, l := range f.Loads {
		each += float64(costs.Of(quota.Class{})) + float64(looks-1)*float64(costs.Of(l.Kind.Class))
	}
	units := each * float64(f.Replicas)
	e.Calls += e.Reads
	e.Units += units
	if e.Bound == ByQuota {
		e.Time = seconds(e.Time.Seconds() + units/f.unitRate())
	}
}

// unitRate is what workers plan to spend in a second, together.
func (f Effort) unitRate() float64 { return guard * float64(f.Quota) / window.Seconds() }

// replicaRate is the calls in a second that fit into one replica: by Little's
// law the calls in flight are the rate times the time that each takes.
func (f Effort) replicaRate() float64 {
	return float64(min(f.Concurrency, InFlight)) / f.Latency.Seconds()
}

// seconds is a span, at most what a duration holds.
func seconds(s float64) time.Duration {
	if s >= math.MaxInt64/1e9 {
		return math.MaxInt64
	}
	return time.Duration(s * 1e9)
}

// Assumptions are what an estimate cannot know.
func (f Effort) Assumptions(e Estimate) []string {
	if e.Bound == Unbound {
		return []string{"workers know the keys' public halves; each reads them once in 5 minutes"}
	}
	all := []string{
		"each worker reads each key at its start, for which it pays as for the dearest key, and every 5 minutes; there is one key of each kind",
		"no call has to be repeated; what is repeated is paid again",
		"jobs wait in the queue at all times, and processors and network keep up",
	}
	if f.ManagedHSM {
		all = append(all, "latency stays the same under load; a pool has no quota, and its figures are the vendor's best case for one key")
	} else {
		all = append(all, fmt.Sprintf("workers plan for %g of the quota, know how many they are, and nobody else uses the vault", guard))
	}
	if len(f.Prices) > 0 {
		all = append(all, "the cost is that of operations: reads of keys, fees by key and month, and a pool's hours come on top")
	}
	return all
}
