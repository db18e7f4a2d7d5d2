package quotabench

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
)

// TestOurClient signs with all keys through signmill's client, which verifies
// what comes back and learns from the vault what a key costs.
func TestOurClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := openVault(t, Rules{Shape: Fixed})
		client, err := keyvault.New(keyvault.Config{Credential: token{}, Transport: NewLink(vault, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		for _, k := range []Key{Software2048, HSM2048, HSM4096} {
			key, err := client.Resolve(t.Context(), signer.Ref{Vault: vaultURL, Name: k.Name})
			if err != nil {
				t.Fatal(err)
			}
			if key.KID != k.KID(vaultURL) || key.HSM != k.HSM || !k.Public().Equal(key.Public) {
				t.Errorf("%s: resolved to %+v", k.Name, key)
			}
			if _, err := client.Sign(t.Context(), key, schema.RS256, Digest()); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestOurClientPaces has three replicas sign all they can through signmill's
// client: what the gate reaches with bare calls, it reaches there.
func TestOurClientPaces(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("thousands of requests and signatures")
	}
	t.Parallel()
	f := cell{steady(20*time.Second, 3), Rules{Shape: Fixed}, mixes()[0], 3, gateClient()}.run(t, 1)
	if f.goodput < 99.3 || f.throttled > 0.05 {
		t.Errorf("goodput %.2f %%, throttled %.2f %%; want 99.3, 0.05", f.goodput, f.throttled)
	}
}
