package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/estimate"
	"github.com/signmill/signmill/signer/quota"
)

// planJSON is the form of an estimate on standard output.
type planJSON struct {
	Operation   string         `json:"operation"`
	Loads       []loadJSON     `json:"loads"`
	Operations  int64          `json:"operations"`
	Calls       int64          `json:"calls"`
	KeyReads    int64          `json:"keyReads"`
	Units       float64        `json:"units"`
	Quota       int            `json:"quota,omitempty"` // none in a Managed HSM
	QuotaRate   float64        `json:"callsPerSecondAtQuota,omitempty"`
	PoolRate    float64        `json:"callsPerSecondOfPool,omitempty"`
	Replicas    int            `json:"replicas"`
	FleetRate   float64        `json:"callsPerSecondOfReplicas"`
	Bound       estimate.Bound `json:"bound"`
	Seconds     float64        `json:"seconds"`
	Windows     int64          `json:"windows"`
	Useful      int            `json:"usefulReplicas,omitempty"` // none: no limit is known
	Cost        *float64       `json:"cost,omitempty"`
	Unpriced    []string       `json:"withoutPrice,omitempty"`
	Assumptions []string       `json:"assumptions"`
}

type loadJSON struct {
	Key        string `json:"key"`
	Operations int64  `json:"operations"`
	UnitsEach  int    `json:"unitsPerCall"`
}

func (o *planOptions) tellPlan(f estimate.Effort, e estimate.Estimate) error {
	if o.json {
		return jsonLine(o.out, newPlanJSON(f, e))
	}
	t := display.NewTable(o.out)
	for _, l := range f.Loads {
		t.Fact("campaign", fmt.Sprintf("%s %s with %s, %s", display.Grouped(l.Items), f.Operation, l.Kind.Name, costText(f, l)))
	}
	t.Fact("operations", display.Grouped(e.Operations))
	t.Fact("calls", fmt.Sprintf("%s, %s of them to read keys", display.Grouped(e.Calls), display.Grouped(e.Reads)))
	tellBounds(t, f, e)
	if e.Bound != estimate.Unbound {
		t.Fact("time", roundedTime(e.Time))
	} else {
		t.Fact("time", "as long as the workers' processors take: the vault is not asked")
	}
	tellCost(t, f, e)
	if err := t.Close(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(o.out, "\nThis assumes that:\n- %s\n", strings.Join(f.Assumptions(e), "\n- "))
	return err
}

// tellBounds says what limits the rate.
func tellBounds(t display.Table, f estimate.Effort, e estimate.Estimate) {
	if e.Bound == estimate.Unbound {
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
	t.Fact("rate of the replicas", fmt.Sprintf("%s: %s with %s in flight, %s each",
		perSecond(e.FleetRate), count(int64(f.Replicas), "replica"), count(int64(min(f.Concurrency, estimate.InFlight)), "call"), f.Latency))
	t.Fact("bound", map[estimate.Bound]string{
		estimate.ByQuota:       "the quota",
		estimate.ByConcurrency: "the calls in flight: more replicas or a higher --concurrency help",
		estimate.ByPool:        "the hardware of the pool",
	}[e.Bound])
	if e.Useful > 0 {
		t.Fact("useful replicas", fmt.Sprintf("%s; more only share the same", display.Grouped(int64(e.Useful))))
	}
}

// tellCost says what the calls cost, where prices are given.
func tellCost(t display.Table, f estimate.Effort, e estimate.Estimate) {
	if len(f.Prices) == 0 {
		return
	}
	text := fine(e.Cost, 2)
	if len(e.Unpriced) > 0 {
		text += ", without " + strings.Join(e.Unpriced, ", ") + ": no --price"
	}
	t.Fact("cost", text)
}

// costText says what one operation of a load costs.
func costText(f estimate.Effort, l estimate.Load) string {
	calls := estimate.Calls(l.Kind.Class, f.Operation)
	switch {
	case calls == 0:
		return "done with the public key"
	case f.ManagedHSM:
		return count(calls, "call") + " each"
	}
	return count(calls*int64(quota.Costs(nil).Of(l.Kind.Class)), "unit") + " each"
}

func newPlanJSON(f estimate.Effort, e estimate.Estimate) planJSON {
	p := planJSON{
		Operation: string(f.Operation), Operations: e.Operations, Calls: e.Calls, KeyReads: e.Reads, Units: e.Units,
		QuotaRate: e.QuotaRate, PoolRate: e.PoolRate, Replicas: f.Replicas, FleetRate: e.FleetRate,
		Bound: e.Bound, Seconds: e.Time.Seconds(), Windows: e.Windows, Useful: e.Useful,
		Unpriced: e.Unpriced, Assumptions: f.Assumptions(e),
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

func perSecond(rate float64) string { return fine(rate, 1) + " calls/s" }

// fine writes a number with so many decimals, or more where only zeros would be
// seen.
func fine(x float64, decimals int) string {
	if x > 0 && x < 10*math.Pow10(-decimals) {
		return strconv.FormatFloat(x, 'g', 2, 64)
	}
	return strconv.FormatFloat(x, 'f', decimals, 64)
}

// roundedTime leaves out what nobody can foresee.
func roundedTime(d time.Duration) string {
	switch {
	case d == math.MaxInt64:
		return "more than 292 years"
	case d < 100*time.Millisecond:
		return "less than 0.1s"
	case d < 10*time.Second:
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
