package worker_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
)

// byHost carries requests to the vault of their host.
type byHost map[string]http.RoundTripper

func (b byHost) RoundTrip(request *http.Request) (*http.Response, error) {
	return b[request.URL.Host].RoundTrip(request)
}

// slowVault puts another vault beside the rig's and returns it. Jobs name its
// key slow.
func (r *rig) slowVault() *localvault.Server {
	r.t.Helper()
	slow, err := localvault.New(localvault.Config{Keys: []localvault.KeySpec{{Name: "ec", Type: "EC"}}})
	r.must(err)
	r.keys, err = keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: byHost{
		"test.vault.azure.net": r.vault.RoundTripper(), "slow.vault.azure.net": slow.RoundTripper(),
	}})
	r.must(err)
	r.config.Keys = r.keys
	r.config.Policy = worker.Allowance{Keys: map[string]signer.Ref{
		"ec": {Vault: vaultURL, Name: "ec"}, "slow": {Vault: "https://slow.vault.azure.net", Name: "ec"},
	}}
	return slow
}

// TestSlowVaultHoldsUpNoOther has more items for a vault that answers after 20 s
// than there are places, and then jobs for a vault that answers at once.
func TestSlowVaultHoldsUpNoOther(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		vault := r.slowVault()
		r.config.Concurrency, r.config.JobsHeld = 4, 20
		r.start()
		for _, key := range []string{"slow", "ec"} {
			known := job("first-"+key, 1)
			known.Key = key
			r.submit(known)
			r.reply()
		}
		vault.SetFaults(localvault.Faults{Delay: 20 * time.Second})
		for i := range 5 {
			slow := job(fmt.Sprint("slow-", i), 8)
			slow.Key = "slow"
			r.submit(slow)
		}
		began := time.Now()
		for i := range 5 {
			r.submit(job(fmt.Sprint("fast-", i), 8))
		}
		for range 5 {
			if result, _ := r.reply(); result.ID[:4] != "fast" {
				t.Errorf("%s was answered before the jobs of the fast vault", result.ID)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the jobs of the fast vault took %s", took)
		}
		for range 5 {
			r.reply()
		}
	})
}
