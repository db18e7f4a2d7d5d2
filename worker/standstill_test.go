package worker_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
)

// putsOff lets the worker of the rig put jobs off.
func (r *rig) putsOff() { r.config.Later = r.sender("jobs") }

// collect takes n results and returns the order of their ids, and when each came.
func (r *rig) collect(n int) (ids []string, came map[string]time.Duration) {
	r.t.Helper()
	began, came := time.Now(), map[string]time.Duration{}
	for range n {
		result, _ := r.reply()
		if result.Status != schema.Succeeded {
			r.t.Errorf("%s: %s, want it to succeed: %+v", result.ID, result.Status, result.Items[0].Error)
		}
		ids = append(ids, result.ID)
		came[result.ID] = time.Since(began)
	}
	return ids, came
}

// TestDeadVaultHoldsUpNoOther has more jobs for a vault that gives no answer than
// may be held, and then jobs for a vault that is well. The vault is silent for
// three minutes, and answers then; no job has lost an attempt.
func TestDeadVaultHoldsUpNoOther(t *testing.T) {
	for name, dead := range map[string]localvault.Faults{
		"it hangs":        {Delay: time.Hour},
		"it answers 503":  {Fail: 1e9},
		"it asks to wait": {Throttle: 1e9, RetryAfter: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T, r *rig) {
				vault := r.slowVault()
				r.putsOff()
				r.config.Concurrency, r.config.JobsHeld, r.config.MaxDeliveries = 4, 8, 10
				r.start()
				r.know("slow", "ec")
				vault.SetFaults(dead)
				time.AfterFunc(3*time.Minute, func() { vault.SetFaults(localvault.Faults{}) })
				r.crowd("slow", 30)
				r.crowd("ec", 5)
				ids, came := r.collect(35)
				for i, id := range ids[:5] {
					if id[:2] != "ec" || came[id] > time.Minute {
						t.Errorf("answer %d is to %s after %s, want the vault that is well within a minute", i, id, came[id])
					}
				}
				if last := came[ids[34]]; last > 3*time.Minute+4*time.Minute {
					t.Errorf("the last answer came %s after the vault was well again", last-3*time.Minute)
				}
			})
		})
	}
}

// know lets the worker find the named keys.
func (r *rig) know(keys ...string) {
	r.t.Helper()
	for _, key := range keys {
		known := job("first-"+key, 1)
		known.Key = key
		r.submit(known)
		r.reply()
	}
}

// crowd submits n jobs for a key.
func (r *rig) crowd(key string, n int) {
	r.t.Helper()
	for i := range n {
		j := job(fmt.Sprintf("%s-%d", key, i), 2)
		j.Key = key
		r.submit(j)
	}
}

// hanging carries requests to a vault, and gives those for the key named bad no
// answer while it is ill.
type hanging struct {
	http.RoundTripper
	ill  atomic.Bool
	well chan struct{} // closed when it is not ill any more
}

func (h *hanging) RoundTrip(request *http.Request) (*http.Response, error) {
	if h.ill.Load() && strings.HasPrefix(request.URL.Path, "/keys/bad/") {
		select {
		case <-h.well:
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}
	return h.RoundTripper.RoundTrip(request)
}

// TestDeadKeyHoldsUpNoOther is the same for two keys in one vault, where calls for
// the bad one take all places until the first of them are given up.
func TestDeadKeyHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, localvault.KeySpec{Name: "bad", Type: "EC"})
		sick := &hanging{RoundTripper: r.vault.RoundTripper(), well: make(chan struct{})}
		keys, err := keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: sick})
		r.must(err)
		r.config.Keys = keys
		r.putsOff()
		r.config.Concurrency, r.config.JobsHeld, r.config.MaxDeliveries = 8, 16, 10
		r.start()
		r.know("ec", "bad")
		sick.ill.Store(true)
		time.AfterFunc(5*time.Minute, func() { close(sick.well) })
		r.crowd("bad", 40)
		r.crowd("ec", 5)
		ids, came := r.collect(45)
		for i, id := range ids[:5] {
			if id[:2] != "ec" || came[id] > 2*time.Minute {
				t.Errorf("answer %d is to %s after %s, want the key that is well within two minutes", i, id, came[id])
			}
		}
	})
}

// TestOneKeyAloneKeepsItsJobs puts nothing off where nobody else would gain.
func TestOneKeyAloneKeepsItsJobs(t *testing.T) {
	later(t, func(t *testing.T, r *rig, h *history) {
		r.config.Policy = worker.Allowance{Keys: map[string]signer.Ref{"ec": {Vault: vaultURL, Name: "ec"}}}
		r.config.JobTimeout = 5 * time.Minute
		r.start()
		r.know("ec")
		r.vault.SetFaults(localvault.Faults{Delay: 20 * time.Second})
		r.crowd("ec", 8)
		r.collect(8)
		if len(h.deliveries) != 9 {
			t.Errorf("deliveries %v, want one of each of 9 jobs and none of a copy", h.deliveries)
		}
	})
}
