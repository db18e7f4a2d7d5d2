package worker_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker"
)

// withLane gives the worker a lane of the same weight as its job queue, and a
// backlog of 10,000 items in jobs of 500.
func withLane(t *testing.T, test func(t *testing.T, r *rig, urgent queue.Sender)) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigOn(t, localbus.Config{Queues: []localbus.Queue{{Name: "urgent"}}})
		r.config.Lanes = []worker.Lane{{Name: "urgent", Jobs: r.receiver("urgent"), Weight: 1}}
		r.config.JobsHeld, r.config.JobTimeout = 8, 2*time.Hour
		for i := range 20 {
			r.submit(job(fmt.Sprint("backlog ", i), 500))
		}
		test(t, r, r.sender("urgent"))
	})
}

// answered sends a job to a lane and returns how long it takes to its reply,
// which comes before those to the backlog.
func (r *rig) answered(lane queue.Sender, id string, items int) time.Duration {
	r.t.Helper()
	began := time.Now()
	r.must(lane.Send(r.t.Context(), queue.Message{ID: id, Body: r.encode(job(id, items))}))
	result, _ := r.reply()
	r.verify(job(id, items), result)
	return time.Since(began)
}

// TestLaneHasPlaces works at two items at once, a second each. Without a place of
// its own a job of ten items would take its turns behind those of eight others.
func TestLaneHasPlaces(t *testing.T) {
	withLane(t, func(t *testing.T, r *rig, urgent queue.Sender) {
		r.config.Keys, r.config.Concurrency = &inTurn{Keys: r.config.Keys}, 2
		r.start()
		<-time.After(10 * time.Second)
		if took := r.answered(urgent, "now", 10); took > 11*time.Second {
			t.Errorf("a job of 10 items took %v, want a second for each at most", took)
		}
	})
}

// TestLaneHasAPartOfTheQuota works at ten items in a second.
func TestLaneHasAPartOfTheQuota(t *testing.T) {
	withLane(t, func(t *testing.T, r *rig, urgent queue.Sender) {
		gate, err := quota.New(quota.Config{Quota: 100, Lanes: map[string]quota.Lane{"urgent": {Weight: 9}}})
		r.must(err)
		t.Cleanup(gate.Close)
		keys, err := keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: r.vault.RoundTripper(), Gate: func(string, quota.Class) *quota.Gate { return gate }})
		r.must(err)
		r.config.Keys, r.config.Pace = keys, gate
		r.start()
		<-time.After(30 * time.Second)
		took := r.answered(urgent, "now", 100)
		if took > 14*time.Second {
			t.Errorf("a job of 100 items took %v, want nine tenths of the quota at least", took)
		}
	})
}

// TestLaneIsToldByItsQueue: what is told of a lane's jobs names the lane's queue.
func TestLaneIsToldByItsQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRigOn(t, localbus.Config{Queues: []localbus.Queue{{Name: "urgent-jobs"}}})
		s := r.traced()
		reader := r.measured()
		r.config.Concurrency = 8
		r.config.Lanes = []worker.Lane{{Name: "urgent", Jobs: r.receiver("urgent-jobs"), Queue: "urgent-jobs"}}
		r.vault.SetFaults(localvault.Faults{Delay: time.Second})
		drain := r.start()
		urgent := r.sender("urgent-jobs")
		r.must(urgent.Send(t.Context(), queue.Message{ID: "now", Body: r.encode(job("now", 2))}))
		<-time.After(time.Second / 2)
		wants := func(readings map[string]float64) {
			t.Helper()
			got := r.reading(reader)
			for name, want := range readings {
				if v, ok := got[name]; !ok || v != want {
					t.Errorf("%s: got %v, want %v, among\n%s", name, v, want, strings.Join(sortedKeys(got), "\n"))
				}
			}
		}
		wants(map[string]float64{
			"signmill.jobs.held urgent-jobs": 1, "signmill.jobs.held jobs": 0,
			"signmill.jobs.held.limit urgent-jobs": 8, "signmill.jobs.held.limit jobs": 16,
			"signmill.places.limit urgent-jobs": 4, "signmill.places.limit jobs": 8,
		})
		r.reply()
		drain()
		wants(map[string]float64{
			"messaging.process.duration process urgent-jobs":           1,
			"messaging.client.consumed.messages receive urgent-jobs":   1,
			"messaging.client.operation.duration complete urgent-jobs": 1,
		})
		for _, name := range []string{"process urgent-jobs", "complete urgent-jobs"} {
			if got := attributeOf(s.one(t, name), "messaging.destination.name"); got != "urgent-jobs" {
				t.Errorf("%s: got destination %q, want urgent-jobs", name, got)
			}
		}
		if len(s.named("process jobs")) > 0 || len(s.named("receive urgent-jobs")) == 0 {
			t.Errorf("got %s, want spans of urgent-jobs", s.list())
		}
	})
}

func TestNewRefusesWrongLanes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.config.Lanes = []worker.Lane{{Name: "a", Jobs: r.config.Jobs}, {Name: "a", Jobs: r.config.Jobs, Weight: -1}, {}}
	_, err := worker.New(r.config)
	for _, want := range []string{`"a" of a lane is empty or taken`, `lane "a": Weight is -1`, `"" of a lane`, `lane "": Jobs is missing`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %s", err, want)
		}
	}
}
