package quotabench

import (
	"testing"
	"testing/synctest"

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
