package policy

import (
	"strings"
	"testing"

	"github.com/signmill/signmill/signer"
)

// TestVaultURL tries to have a token sent elsewhere.
func TestVaultURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text  string
		wrong       string // "": it is right anywhere
		wrongLocal  string // the same beside a broker on this machine; "": as wrong
		fineLocally bool
	}{
		{name: "vault", text: "https://example.vault.azure.net"},
		{name: "with a slash", text: "https://example.vault.azure.net/"},
		{name: "Managed HSM", text: "https://my-hsm.managedhsm.azure.net"},
		{name: "two labels", text: "https://a.b.vault.azure.net"},
		{name: "http", text: "http://example.vault.azure.net", wrong: "is not https"},
		{name: "no scheme", text: "example.vault.azure.net", wrong: "names no host"},
		{name: "other scheme", text: "ftp://example.vault.azure.net", wrong: "is not https"},
		{name: "opaque", text: "https:example.vault.azure.net", wrong: "names no host"},
		{name: "no host", text: "https://", wrong: "names no host"},
		{name: "user", text: "https://user@example.vault.azure.net", wrong: "names a user"},
		{name: "user that looks like a vault", text: "https://example.vault.azure.net@evil.example.org", wrong: "names a user"},
		{name: "password", text: "https://a:b@example.vault.azure.net", wrong: "names a user"},
		{name: "port", text: "https://example.vault.azure.net:8443", wrong: "names a port"},
		{name: "the usual port", text: "https://example.vault.azure.net:443", wrong: "names a port"},
		{name: "empty port", text: "https://example.vault.azure.net:", wrong: "names a port"},
		{name: "path", text: "https://example.vault.azure.net/keys", wrong: "has a path"},
		{name: "dots", text: "https://example.vault.azure.net/..", wrong: "has a path"},
		{name: "slashes", text: "https://example.vault.azure.net//", wrong: "has a path"},
		{name: "query", text: "https://example.vault.azure.net/?a=b", wrong: "has a query or a fragment"},
		{name: "empty query", text: "https://example.vault.azure.net?", wrong: "has a query or a fragment"},
		{name: "fragment", text: "https://example.vault.azure.net#a", wrong: "has a query or a fragment"},
		{name: "empty fragment", text: "https://example.vault.azure.net#", wrong: "has a query or a fragment"},
		{name: "backslash", text: `https://evil.example.org\.vault.azure.net`, wrong: "is no URL"},
		{name: "line break", text: "https://example.vault.azure.net\n", wrong: "is no URL"},
		{name: "space", text: "https://exa mple.vault.azure.net", wrong: "is no URL"},
		{name: "address", text: "https://20.1.2.3", wrong: "is not under a domain"},
		{name: "address of six", text: "https://[2001:db8::1]", wrong: "names a port"},
		{name: "address as a number", text: "https://335544321", wrong: "is not under a domain"},
		{name: "another domain", text: "https://example.org", wrong: "is not under a domain"},
		{name: "domain behind", text: "https://example.vault.azure.net.example.org", wrong: "is not under a domain"},
		{name: "domain without a dot", text: "https://examplevault.azure.net", wrong: "is not under a domain"},
		{name: "domain alone", text: "https://vault.azure.net", wrong: "is not under a domain"},
		{name: "empty label", text: "https://.vault.azure.net", wrong: "is not under a domain"},
		{name: "empty label inside", text: "https://a..vault.azure.net", wrong: "is not under a domain"},
		{name: "dot at the end", text: "https://example.vault.azure.net.", wrong: "is not under a domain"},
		{name: "upper case", text: "https://Example.vault.azure.net", wrong: "is not under a domain"},
		{name: "upper case in the domain", text: "https://example.VAULT.azure.net", wrong: "is not under a domain"},
		{name: "underscore", text: "https://my_vault.vault.azure.net", wrong: "is not under a domain"},
		{name: "hyphen first", text: "https://-a.vault.azure.net", wrong: "is not under a domain"},
		{name: "long label", text: "https://" + strings.Repeat("a", 64) + ".vault.azure.net", wrong: "is not under a domain"},
		{name: "ideographic dot", text: "https://example\u3002vault\u3002azure\u3002net", wrong: "is not under a domain"},
		{name: "full-width dot", text: "https://evil.example.org\uff0evault.azure.net", wrong: "is not under a domain"},
		{name: "full-width slash", text: "https://evil.example.org\uff0f.vault.azure.net", wrong: "is not under a domain"},
		{name: "letter of another script", text: "https://ex\u0430mple.vault.azure.net", wrong: "is not under a domain"},
		{name: "invisible character", text: "https://example\u200b.vault.azure.net", wrong: "is not under a domain"},
		{name: "escaped slash", text: "https://evil.example.org%2f.vault.azure.net", wrong: "is no URL"},
		{name: "escaped letter", text: "https://%65xample.vault.azure.net", wrong: "is no URL"},
		{name: "this machine", text: "https://localhost:8443", wrong: "is on this machine", fineLocally: true},
		{name: "a name of this machine", text: "http://vault.localhost", wrong: "is on this machine", fineLocally: true},
		{name: "loopback", text: "https://127.0.0.1:8443/", wrong: "is on this machine", fineLocally: true},
		{name: "loopback of six", text: "https://[::1]:8443", wrong: "is on this machine", fineLocally: true},
		{name: "user on this machine", text: "https://user@localhost", wrong: "names a user"},
		{name: "ftp on this machine", text: "ftp://localhost", wrong: "is on this machine", wrongLocal: "is not https"},
		{name: "not this machine", text: "https://localhost.example.org", wrong: "is not under a domain"},
		{name: "private address", text: "https://10.0.0.1", wrong: "is not under a domain"},
	}
	js := compileSchema(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			check := func(local bool, want string) {
				address, wrong := vaultURL(test.text, local)
				if want == "" && wrong != "" || !strings.HasPrefix(wrong, want) {
					t.Errorf("local %v: got %q, want %q", local, wrong, want)
				}
				if wanted := strings.TrimSuffix(test.text, "/"); (wrong == "") != (address == wanted) {
					t.Errorf("local %v: got the address %q together with %q", local, address, wrong)
				}
			}
			wrongLocal := test.wrongLocal
			if wrongLocal == "" && !test.fineLocally {
				wrongLocal = test.wrong
			}
			check(false, test.wrong)
			check(true, wrongLocal)
			file := map[string]any{"version": Version, "vaults": map[string]any{"v": map[string]any{"url": test.text}},
				"keys": map[string]any{"k": map[string]any{"vault": "v", "key": "k"}}}
			if said := js.Validate(file); (said == nil) != (wrongLocal == "") {
				t.Errorf("schema: got %v, want %q", said, wrongLocal)
			}
		})
	}
}

// TestEveryCloud takes a vault under each domain, in decoder and schema.
func TestEveryCloud(t *testing.T) {
	t.Parallel()
	js := compileSchema(t)
	for _, domain := range signer.VaultDomains() {
		text := []byte(strings.Replace(base, "example.vault.azure.net", "other."+domain, 1))
		if _, err := Parse(text, Options{}); err != nil {
			t.Errorf("%s: %v", domain, err)
		}
		if err := schemaSays(t, js, text); err != nil {
			t.Errorf("%s: schema: %v", domain, err)
		}
	}
}
