package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/probe"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/quota"
)

// probeJSON is the form of a verdict on standard output.
type probeJSON struct {
	KID       string       `json:"kid"`
	Calls     int          `json:"calls"`
	Accepted  int          `json:"accepted"`
	Refused   int          `json:"refused"`
	Failed    int          `json:"failed"`
	UnitsEach int          `json:"unitsPerCall"`
	First     int          `json:"unitsAcceptedInBurst"`
	Again     float64      `json:"secondsUntilAcceptedAgain,omitempty"`
	Window    string       `json:"window,omitempty"`
	Others    []string     `json:"otherWindows,omitempty"`
	Charged   probe.Answer `json:"refusedCallsCount"`
	Several   bool         `json:"severalCounters"`
	Hints     int          `json:"refusalsWithRetryAfter"`
	P50       float64      `json:"latencyMillisecondsP50"`
	P99       float64      `json:"latencyMillisecondsP99"`
	Quota     int          `json:"quota,omitempty"`
	Evidence  []string     `json:"evidence"`
}

// tellProbe judges and tells. A trace that shows nothing is a problem found.
func (c *quotaProbe) tellProbe(info keyvault.KeyInfo, t probe.Trace) error {
	r := probeReport{t.Judge(), t, info.KID, quota.Units(c.quota)}
	var err error
	if c.json {
		err = jsonLine(c.out, r.json())
	} else {
		err = r.print(c.out)
	}
	if err == nil && r.Window == "" {
		err = &exit{code: exitProblems}
	}
	return err
}

// probeReport is a verdict and what it rests on.
type probeReport struct {
	probe.Verdict
	trace   probe.Trace
	kid     string
	assumed quota.Units // what --quota said
}

// print writes a report for people.
func (r probeReport) print(out io.Writer) error {
	t := r.trace
	w := display.NewTable(out)
	w.Fact("key", r.kid)
	w.Fact("calls", fmt.Sprintf("%s: %s accepted, %s refused, %s without an answer",
		display.Grouped(int64(len(t.Calls))), display.Grouped(int64(t.Count(probe.Accepted))), display.Grouped(int64(t.Count(probe.Refused))), display.Grouped(int64(t.Count(probe.Failed)))))
	w.Fact("latency", fmt.Sprintf("p50 %s, p99 %s of accepted calls", milliseconds(t.Latency(probe.Accepted, 0.5)), milliseconds(t.Latency(probe.Accepted, 0.99))))
	if r.Refused {
		w.Fact("window", r.windowText())
		w.Fact("refused calls count", string(r.Charged))
		w.Fact("Retry-After", r.hintText())
		w.Fact("counters", map[bool]string{true: "several, it seems", false: "one, as far as can be seen"}[r.Several])
	}
	w.Fact("use", r.use())
	if err := w.Close(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nWhat was seen:\n- %s\n", strings.Join(r.Evidence(t), "\n- "))
	return err
}

func (r probeReport) windowText() string {
	switch {
	case r.Window == "":
		return "not known"
	case len(r.Others) > 0:
		return r.Window + "; it may also be " + strings.Join(r.Others, ", or ") + ": probe again to tell"
	}
	return r.Window
}

// use says which setting to give to workers.
func (r probeReport) use() string {
	switch q := r.Advice(r.assumed); {
	case q > 0:
		return "--quota " + strconv.Itoa(int(q))
	case !r.Refused:
		return "probe again, with a higher --quota: at least " + display.Grouped(int64(r.First)) + " units were accepted"
	}
	return "probe again while nobody else uses the vault"
}

func (r probeReport) hintText() string {
	n, least, most := r.trace.Hints()
	if n == 0 {
		return "absent"
	}
	return fmt.Sprintf("in %s of %s refusals, %s to %s", display.Grouped(int64(n)), display.Grouped(int64(r.trace.Count(probe.Refused))), least, most)
}

func (r probeReport) json() probeJSON {
	t := r.trace
	hints, _, _ := t.Hints()
	return probeJSON{
		KID: r.kid, Calls: len(t.Calls), Accepted: t.Count(probe.Accepted), Refused: t.Count(probe.Refused), Failed: t.Count(probe.Failed),
		UnitsEach: int(t.Cost), First: int(r.First), Again: r.Again.Seconds(), Window: r.Window, Others: r.Others, Charged: r.Charged,
		Several: r.Several, Hints: hints, Quota: int(r.Advice(r.assumed)), Evidence: r.Evidence(t),
		P50: t.Latency(probe.Accepted, 0.5).Seconds() * 1000, P99: t.Latency(probe.Accepted, 0.99).Seconds() * 1000,
	}
}

func milliseconds(d time.Duration) string { return d.Round(time.Millisecond / 10).String() }
