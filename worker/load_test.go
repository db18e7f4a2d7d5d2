package worker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/signer/quota"
)

// startShare starts a replica behind a gate of its own.
func (r *rig) startShare(units quota.Units, h *history) {
	r.t.Helper()
	gate := r.newGate(units, 1)
	keys, err := keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: r.vault.RoundTripper(), Gate: func(string, quota.Class) *quota.Gate { return gate }})
	r.must(err)
	r.config.Keys, r.config.Pace = keys, gate
	r.config.Jobs = recorded{r.receiver("shared"), h}
	r.start()
}

// TestReplicasDoNotHoard has two replicas share a backlog, of which one is four
// times as fast: each takes what it can do, and both end at the same time.
func TestReplicasDoNotHoard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const jobs, items, lock = 40, 50, 10 * time.Second
		r := newRigOn(t, localbus.Config{Queues: []localbus.Queue{
			{Name: "shared", QueueProperties: localbus.QueueProperties{LockDuration: lock}},
		}})
		r.vault.SetFaults(localvault.Faults{Delay: 80 * time.Millisecond})
		r.jobs = r.sender("shared")
		for i := range jobs {
			r.submit(job(fmt.Sprint(i), items))
		}
		slow, fast := newHistory(), newHistory()
		began := time.Now()
		r.startShare(200, slow)
		<-time.After(100 * time.Millisecond) // time enough to take all
		r.startShare(800, fast)
		for range jobs {
			result, _ := r.reply()
			r.verify(job(result.ID, items), result)
		}
		took, share := time.Since(began), len(slow.deliveries)
		t.Logf("%d of %d jobs went to the slow replica, and all were done in %v", share, jobs, took.Round(100*time.Millisecond))
		if all := share + len(fast.deliveries); all != jobs {
			t.Errorf("%d jobs were delivered %d times, want once each", jobs, all)
		}
		if alone := jobs * items * time.Second / 99; took > alone*5/4 {
			t.Errorf("took %v, want little more than %v", took, alone)
		}
	})
}
