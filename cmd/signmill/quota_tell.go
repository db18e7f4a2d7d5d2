package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/quota"
)

// probeJSON is the form of a verdict on standard output.
type probeJSON struct {
	KID       string      `json:"kid"`
	Calls     int         `json:"calls"`
	Accepted  int         `json:"accepted"`
	Refused   int         `json:"refused"`
	Failed    int         `json:"failed"`
	UnitsEach int         `json:"unitsPerCall"`
	First     int         `json:"unitsAcceptedInBurst"`
	Again     float64     `json:"secondsUntilAcceptedAgain,omitempty"`
	Window    string      `json:"window,omitempty"`
	Others    []string    `json:"otherWindows,omitempty"`
	Charged   answerKnown `json:"refusedCallsCount"`
	Several   bool        `json:"severalCounters"`
	Hints     int         `json:"refusalsWithRetryAfter"`
	P50       float64     `json:"latencyMillisecondsP50"`
	P99       float64     `json:"latencyMillisecondsP99"`
	Quota     int         `json:"quota,omitempty"`
	Evidence  []string    `json:"evidence"`
}

// tellProbe judges and tells. A trace that shows nothing is a problem found.
func (c *quotaProbe) tellProbe(info keyvault.KeyInfo, t probeTrace) error {
	v := t.judge()
	var err error
	if c.json {
		err = jsonLine(c.out, v.json(info.KID, t, quota.Units(c.quota)))
	} else {
		err = v.tell(c.streams, info.KID, t, quota.Units(c.quota))
	}
	if err == nil && v.Window == "" {
		err = &exit{code: exitProblems}
	}
	return err
}

func (v probeVerdict) tell(s streams, kid string, t probeTrace, assumed quota.Units) error {
	w := display.NewTable(s.out)
	w.Fact("key", kid)
	w.Fact("calls", fmt.Sprintf("%s: %s accepted, %s refused, %s without an answer",
		display.Grouped(int64(len(t.Calls))), display.Grouped(int64(t.count(probeAccepted))), display.Grouped(int64(t.count(probeRefused))), display.Grouped(int64(t.count(probeFailed)))))
	w.Fact("latency", fmt.Sprintf("p50 %s, p99 %s of accepted calls", milliseconds(t.latency(probeAccepted, 0.5)), milliseconds(t.latency(probeAccepted, 0.99))))
	if v.Refused {
		w.Fact("window", v.windowText())
		w.Fact("refused calls count", string(v.Charged))
		w.Fact("Retry-After", t.hintText())
		w.Fact("counters", map[bool]string{true: "several, it seems", false: "one, as far as can be seen"}[v.Several])
	}
	w.Fact("use", v.use(assumed))
	if err := w.Close(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, "\nWhat was seen:\n- %s\n", strings.Join(v.evidence(t), "\n- "))
	return err
}

func (v probeVerdict) windowText() string {
	switch {
	case v.Window == "":
		return "not known"
	case len(v.Others) > 0:
		return v.Window + "; it may also be " + strings.Join(v.Others, ", or ") + ": probe again to tell"
	}
	return v.Window
}

// use says which setting to give to workers.
func (v probeVerdict) use(assumed quota.Units) string {
	switch q := v.advice(assumed); {
	case q > 0:
		return "--quota " + strconv.Itoa(int(q))
	case !v.Refused:
		return "probe again, with a higher --quota: at least " + display.Grouped(int64(v.First)) + " units were accepted"
	}
	return "probe again while nobody else uses the vault"
}

func (t probeTrace) hintText() string {
	n, least, most := t.hints()
	if n == 0 {
		return "absent"
	}
	return fmt.Sprintf("in %s of %s refusals, %s to %s", display.Grouped(int64(n)), display.Grouped(int64(t.count(probeRefused))), least, most)
}

func (v probeVerdict) json(kid string, t probeTrace, assumed quota.Units) probeJSON {
	hints, _, _ := t.hints()
	return probeJSON{
		KID: kid, Calls: len(t.Calls), Accepted: t.count(probeAccepted), Refused: t.count(probeRefused), Failed: t.count(probeFailed),
		UnitsEach: int(t.Cost), First: int(v.First), Again: v.Again.Seconds(), Window: v.Window, Others: v.Others, Charged: v.Charged,
		Several: v.Several, Hints: hints, Quota: int(v.advice(assumed)), Evidence: v.evidence(t),
		P50: t.latency(probeAccepted, 0.5).Seconds() * 1000, P99: t.latency(probeAccepted, 0.99).Seconds() * 1000,
	}
}

func milliseconds(d time.Duration) string { return d.Round(time.Millisecond / 10).String() }
