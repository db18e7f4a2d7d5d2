package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/quota"
)

// planJSON is the form of an estimate on standard output.
type planJSON struct {
	Operation   string     `json:"operation"`
	Loads       []loadJSON `json:"loads"`
	Operations  int64      `json:"operations"`
	Calls       int64      `json:"calls"`
	KeyReads    int64      `json:"keyReads"`
	Units       float64    `json:"units"`
	Quota       int        `json:"quota,omitempty"` // none in a Managed HSM
	QuotaRate   float64    `json:"callsPerSecondAtQuota,omitempty"`
	PoolRate    float64    `json:"callsPerSecondOfPool,omitempty"`
	Replicas    int        `json:"replicas"`
	FleetRate   float64    `json:"callsPerSecondOfReplicas"`
	Bound       bound      `json:"bound"`
	Seconds     float64    `json:"seconds"`
	Windows     int64      `json:"windows"`
	Useful      int        `json:"usefulReplicas,omitempty"` // none: no limit is known
	Cost        *float64   `json:"cost,omitempty"`
	Unpriced    []string   `json:"withoutPrice,omitempty"`
	Assumptions []string   `json:"assumptions"`
}

type loadJSON struct {
	Key        string `json:"key"`
	Operations int64  `json:"operations"`
	UnitsEach  int    `json:"unitsPerCall"`
}

func (o *planOptions) tellPlan(f effort, e estimate) error {
	if o.json {
		return jsonLine(o.out, f.json(e))
	}
	t := display.NewTable(o.out)
	for _, l := range f.Loads {
		t.Fact("campaign", fmt.Sprintf("%s %s with %s, %s", display.Grouped(l.Items), f.Operation, l.Kind.Name, f.each(l)))
	}
	t.Fact("operations", display.Grouped(e.Operations))
	t.Fact("calls", fmt.Sprintf("%s, %s of them to read keys", display.Grouped(e.Calls), display.Grouped(e.Reads)))
	f.tellBounds(t, e)
	if e.Bound != boundNone {
		t.Fact("time", roundedTime(e.Time))
	} else {
		t.Fact("time", "as long as the workers' processors take: the vault is not asked")
	}
	f.tellCost(t, e)
	if err := t.Close(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(o.out, "\nThis assumes that:\n- %s\n", strings.Join(f.assumptions(e), "\n- "))
	return err
}

// tellBounds says what limits the rate.
func (f effort) tellBounds(t display.Table, e estimate) {
	if e.Bound == boundNone {
		return
	}
	if !f.ManagedHSM {
		t.Fact("units", display.Grouped(int64(e.Units)))
		t.Fact("windows", fmt.Sprintf("%s of 10 s, %s units in each", display.Grouped(e.Windows), display.Grouped(int64(f.Quota))))
		t.Fact("rate at the quota", perSecond(e.QuotaRate))
	}
	if e.PoolRate > 0 {
		t.Fact("rate of the hardware", perSecond(e.PoolRate)+", one partition of the pool at its best")
	}
	t.Fact("rate of the replicas", fmt.Sprintf("%s: %s with %d calls in flight, %s each",
		perSecond(e.FleetRate), count(int64(f.Replicas), "replica"), min(f.Concurrency, planInFlight), f.Latency))
	t.Fact("bound", map[bound]string{
		boundQuota:       "the quota",
		boundConcurrency: "the calls in flight: more replicas or a higher --concurrency help",
		boundPool:        "the hardware of the pool",
	}[e.Bound])
	if e.Useful > 0 {
		t.Fact("useful replicas", fmt.Sprintf("%s; more only share the same", display.Grouped(int64(e.Useful))))
	}
}

// tellCost says what the calls cost, where prices are given.
func (f effort) tellCost(t display.Table, e estimate) {
	if len(f.Prices) == 0 {
		return
	}
	text := strconv.FormatFloat(e.Cost, 'f', 2, 64)
	if len(e.Unpriced) > 0 {
		text += ", without " + strings.Join(e.Unpriced, ", ") + ": no --price"
	}
	t.Fact("cost", text)
}

// each says what one operation of a load costs.
func (f effort) each(l load) string {
	calls := callsFor(l.Kind.Class, f.Operation)
	switch {
	case calls == 0:
		return "done with the public key"
	case f.ManagedHSM:
		return count(calls, "call") + " each"
	}
	return count(calls*int64(quota.Costs(nil).Of(l.Kind.Class)), "unit") + " each"
}

func (f effort) json(e estimate) planJSON {
	p := planJSON{
		Operation: string(f.Operation), Operations: e.Operations, Calls: e.Calls, KeyReads: e.Reads, Units: e.Units,
		QuotaRate: e.QuotaRate, PoolRate: e.PoolRate, Replicas: f.Replicas, FleetRate: e.FleetRate,
		Bound: e.Bound, Seconds: e.Time.Seconds(), Windows: e.Windows, Useful: e.Useful,
		Unpriced: e.Unpriced, Assumptions: f.assumptions(e),
	}
	if !f.ManagedHSM {
		p.Quota = int(f.Quota)
	}
	if len(f.Prices) > 0 {
		p.Cost = &e.Cost
	}
	for _, l := range f.Loads {
		p.Loads = append(p.Loads, loadJSON{l.Kind.Name, l.Items, int(quota.Costs(nil).Of(l.Kind.Class))})
	}
	return p
}

// assumptions are what an estimate cannot know.
func (f effort) assumptions(e estimate) []string {
	if e.Bound == boundNone {
		return []string{"workers know the keys' public halves; each reads them once in 5 minutes"}
	}
	all := []string{
		"each worker reads each key at its start and every 5 minutes, and pays for it as for the dearest key; there is one key of each kind",
		"no call has to be repeated; what is repeated is paid again",
		"jobs wait in the queue at all times, and processors and network keep up",
	}
	if f.ManagedHSM {
		all = append(all, "latency stays the same under load; a pool has no quota, and its figures are the vendor's best case for one key")
	} else {
		all = append(all, fmt.Sprintf("workers plan for %g of the quota, know how many they are, and nobody else uses the vault", planGuard))
	}
	if len(f.Prices) > 0 {
		all = append(all, "the cost is that of operations: reads of keys, fees by key and month, and a pool's hours come on top")
	}
	return all
}

func perSecond(rate float64) string { return strconv.FormatFloat(rate, 'f', 1, 64) + " calls/s" }

// roundedTime leaves out what nobody can foresee.
func roundedTime(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	text := d.Round(time.Second).String()
	if d >= 48*time.Hour {
		text += fmt.Sprintf(", %.1f days", d.Hours()/24)
	}
	return text
}

// count is a number of things.
func count(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return display.Grouped(n) + " " + thing
}
