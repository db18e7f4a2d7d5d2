package campaign

import (
	"strings"
	"testing"

	"github.com/signmill/signmill/signer"
)

// TestKeyringVersion holds what a reply can make us ask a vault for: versions
// of our key, and nothing else.
func TestKeyringVersion(t *testing.T) {
	t.Parallel()
	k := &Keyring{Ref: signer.Ref{Vault: "https://example.vault.azure.net/", Name: "invoices"}}
	tests := map[string]struct {
		kid, want string
	}{
		"a version of ours": {"https://example.vault.azure.net/keys/invoices/0123", "0123"},
		"in another case":   {"https://EXAMPLE.vault.azure.net/keys/Invoices/0123", "0123"},
		"another vault":     {"https://evil.example/keys/invoices/0123", ""},
		"another key":       {"https://example.vault.azure.net/keys/payroll/0123", ""},
		"no version":        {"https://example.vault.azure.net/keys/invoices/", ""},
		"deeper path":       {"https://example.vault.azure.net/keys/invoices/x/0123", ""},
		"nothing":           {"", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := k.version(tt.kid)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q and error %v, want %q", got, err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), "--vault-key") {
				t.Errorf("error %q does not say what to do", err)
			}
		})
	}
}
