package status

import (
	"fmt"
	"slices"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker"
)

// View is what a Server knows at a time. Its JSON is for programs: fields are
// added, and keep their meaning.
type View struct {
	At       time.Time   `json:"at"`
	Version  string      `json:"version"`
	Up       float64     `json:"upSeconds"`
	Phase    string      `json:"phase"`    // starting, serving or draining
	Wrong    []string    `json:"wrong"`    // why it is not ready, or hangs
	Warnings []string    `json:"warnings"` // what slows it down
	Rate     float64     `json:"itemsPerSecond"`
	Held     int         `json:"jobsHeld"`
	Most     int         `json:"jobsHeldAtMost"`
	Places   int         `json:"itemsWithSigner"`
	Totals   Totals      `json:"totals"`
	Queues   []QueueView `json:"queues"`
	Vaults   []VaultView `json:"vaults"`   // whose calls are paced
	Failures []Failure   `json:"failures"` // the last ones, the newest first

	curve []float64
}

// Totals are counts since the start.
type Totals struct {
	Items        int64 `json:"items"`
	Answered     int64 `json:"jobsAnswered"`
	GivenBack    int64 `json:"jobsGivenBack"`
	Dead         int64 `json:"jobsDeadLettered"`
	SpansSent    int64 `json:"spansSent"`
	SpansDropped int64 `json:"spansDropped"`
}

// QueueView is a job queue.
type QueueView struct {
	Name    string  `json:"name"`
	Lane    string  `json:"lane,omitempty"`
	Rate    float64 `json:"itemsPerSecond"` // of this worker, in the last minute
	Working int     `json:"jobsWorkedOn"`
	PutOff  int     `json:"jobsPutOff"`  // by this worker, not due yet
	Waited  float64 `json:"waitSeconds"` // of the newest job on the queue
	Refused bool    `json:"refused"`
	Backlog Backlog `json:"backlog"`
}

// VaultView is the quota of a vault.
type VaultView struct {
	Vault     string  `json:"vault"`
	Phase     string  `json:"phase"`
	Quota     int64   `json:"quotaPer10Seconds"` // configured, of all replicas
	Scale     float64 `json:"believed"`          // part of it
	Replicas  int     `json:"replicas"`          // that share it; 0: not known
	Allowed   float64 `json:"unitsPerSecondAllowed"`
	Used      float64 `json:"unitsPerSecond"` // of this worker, in the last minute
	Waiting   int     `json:"callsWaiting"`
	InFlight  int     `json:"callsInFlight"`
	Limit     int     `json:"callsInFlightAtMost"`
	Calls     int64   `json:"callsLastMinute"`
	Throttled int64   `json:"throttledLastMinute"`
	Failed    int64   `json:"failedLastMinute"`
	StoreLost bool    `json:"storeLost"` // the store that grants parts of the quota
}

// Failure is a delivery that did not end with an answer.
type Failure struct {
	At        time.Time `json:"at"`
	MessageID string    `json:"messageId"`
	Kind      string    `json:"kind"`
}

// View returns what is known now.
func (s *Server) View() View {
	now := s.take()
	lately := s.lately(now)
	v := View{
		At: now.at.UTC(), Version: s.Version, Up: now.at.Sub(s.began).Seconds(), Phase: s.phase(),
		Wrong: append([]string{}, s.hanging()...), Warnings: []string{}, Failures: []Failure{}, Vaults: []VaultView{}, curve: s.curve(),
	}
	v.Wrong = append(append(v.Wrong, s.refused()...), s.silent()...)
	for _, w := range s.Workers {
		v.add(w.State(), w.JobsHeld)
	}
	slices.SortStableFunc(v.Failures, func(a, b Failure) int { return b.At.Compare(a.At) })
	v.Failures = v.Failures[:min(len(v.Failures), mostFailures)]
	if s.Spans != nil {
		v.Totals.SpansSent, v.Totals.SpansDropped = s.Spans()
	}
	s.Gates(func(vault string, g quota.State) { v.Vaults = append(v.Vaults, viewVault(vault, g, lately)) })
	v.findLost(s.Stored)
	for i, l := range s.lookouts {
		q := l.view(lately.rate(i), v.replicas())
		v.Rate += q.Rate
		v.Queues = append(v.Queues, q)
	}
	v.warn()
	return v
}

// mostFailures are shown.
const mostFailures = 10

// add counts a worker in.
func (v *View) add(w worker.State, most int) {
	v.Held, v.Most, v.Places = v.Held+w.Held, v.Most+most, v.Places+w.Places
	t := &v.Totals
	t.Items, t.Answered, t.GivenBack, t.Dead = t.Items+w.Items, t.Answered+w.Answered, t.GivenBack+w.GivenBack, t.Dead+w.Dead
	for _, f := range w.Failures {
		v.Failures = append(v.Failures, Failure{f.At.UTC(), f.MessageID, f.Kind})
	}
}

func viewVault(vault string, g quota.State, lately span) VaultView {
	used, sent, throttled, failed := lately.gate(vault)
	return VaultView{
		Vault: vault, Phase: string(g.Phase), Quota: int64(g.Quota), Scale: g.Scale, Replicas: g.Replicas,
		Allowed: g.Rate, Used: float64(used) / lately.seconds(), Waiting: g.Waiting, InFlight: g.InFlight, Limit: g.Limit,
		Calls: sent, Throttled: throttled, Failed: failed,
	}
}

// findLost marks the vaults whose quota a store should grant: a gate that has a
// rate of its own does without.
func (v *View) findLost(stored func(vault string) bool) {
	for i := range v.Vaults {
		g := &v.Vaults[i]
		g.StoreLost = stored != nil && g.Phase != string(quota.Joining) && g.Allowed > 0 && stored(g.Vault)
	}
}

// view tells of a queue.
func (l *lookout) view(rate float64, replicas int) QueueView {
	state, seen := l.state(), l.seen()
	return QueueView{
		Name: l.Name, Lane: state.Lane, Rate: rate, Working: state.Held, PutOff: state.PutOff, Waited: state.Waited.Seconds(), Refused: state.Refused != nil,
		Backlog: estimate(seen, state, rate, replicas),
	}
}

// replicas is the number that share the quota, as far as it is known; 1: it is
// not, or there is one.
func (v *View) replicas() int {
	most := 1
	for _, g := range v.Vaults {
		most = max(most, g.Replicas)
	}
	return most
}

// warn tells what slows the worker down.
func (v *View) warn() {
	say := func(format string, args ...any) { v.Warnings = append(v.Warnings, fmt.Sprintf(format, args...)) }
	for _, g := range v.Vaults {
		switch {
		case g.Calls > 0 && g.Failed == g.Calls:
			say("No call to %s was answered in the last minute", g.Vault)
		case g.Phase == string(quota.Probing):
			say("The quota of %s is used up; single calls find its return", g.Vault)
		case g.Phase == string(quota.Holding):
			say("%s asked to be left alone for a while", g.Vault)
		case g.Phase == string(quota.Joining):
			say("The worker waits for its part of the quota of %s", g.Vault)
		case g.Scale < 1:
			say("%s grants %.0f %% of the quota that is configured", g.Vault, 100*g.Scale)
		}
		if g.StoreLost {
			say("The store that grants the quota of %s is away; this worker keeps its last part", g.Vault)
		}
		if g.Failed > 0 && g.Failed < g.Calls {
			say("%s of %s calls to %s failed in the last minute", display.Grouped(g.Failed), display.Grouped(g.Calls), g.Vault)
		}
	}
}
