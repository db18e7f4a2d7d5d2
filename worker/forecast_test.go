package worker_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
)

// TestJobOutOfReach is told at once of jobs that the quota does not let end in
// time, with units, share and time, and does those that it does.
func TestJobOutOfReach(t *testing.T) {
	for name, tt := range map[string]struct {
		key     string
		items   int
		after   time.Duration // of notAfter; zero: none
		refusal string        // in the message; "": the job is done
	}{
		"dear items":   {"dear", 100, 0, "100 items cost 200 units of the vault's quota; this worker, one of 1, may use 118 in the 1m0s that it has: split the job, or give workers a longer job timeout"},
		"dear but few": {"dear", 30, 0, ""},
		"soon useless": {"ec", 100, 5 * time.Second, "let notAfter be later"},
		"cheap items":  {"ec", 60, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, localvault.KeySpec{Name: "dear", Type: "RSA-HSM", Size: 2048})
				s := r.pace(20)
				r.config.JobTimeout = time.Minute
				r.start()
				j := job(name, tt.items)
				if j.Key = tt.key; tt.key == "dear" {
					j.Algorithm = schema.RS256
				}
				if tt.after > 0 {
					j.NotAfter = time.Now().Add(tt.after)
				}
				began := time.Now()
				r.submit(j)
				result, _ := r.reply()
				if tt.refusal == "" {
					r.verify(j, result)
					return
				}
				why := result.Items[len(result.Items)-1].Error
				if why == nil || why.Code != schema.CodeThrottled || why.Retryable || !strings.Contains(why.Message, tt.refusal) {
					t.Errorf("got %+v, want %q", why, tt.refusal)
				}
				if n, took := s.count(), time.Since(began); n > 0 || took > time.Second {
					t.Errorf("the answer came after %s and %d calls, want it at once", took, n)
				}
			})
		})
	}
}
