package keyvault

import (
	"errors"
	"strings"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

func TestGateAddress(t *testing.T) {
	t.Parallel()
	azure := gate{}
	local := gate{local: true}
	private := gate{domains: []string{"Vaults.example.org"}}
	tests := []struct {
		name string
		gate gate
		raw  string
		want string // "" means refused
	}{
		{"vault", azure, "https://example.vault.azure.net", "https://example.vault.azure.net"},
		{"one spelling", azure, "HTTPS://Example.Vault.Azure.Net:443/", "https://example.vault.azure.net"},
		{"managed HSM", azure, "https://example.managedhsm.azure.net/", "https://example.managedhsm.azure.net"},
		{"China", azure, "https://example.vault.azure.cn", "https://example.vault.azure.cn"},
		{"US government", azure, "https://example.vault.usgovcloudapi.net", "https://example.vault.usgovcloudapi.net"},
		{"Germany", azure, "https://example.vault.microsoftazure.de", "https://example.vault.microsoftazure.de"},
		{"empty", azure, "", ""},
		{"plain http", azure, "http://example.vault.azure.net", ""},
		{"no scheme", azure, "example.vault.azure.net", ""},
		{"the domain itself", azure, "https://vault.azure.net", ""},
		{"an empty label", azure, "https://.vault.azure.net", ""},
		{"a lookalike", azure, "https://example-vault.azure.net", ""},
		{"a domain before", azure, "https://example.vault.azure.net.example.org", ""},
		{"a user that looks like a vault", azure, "https://example.vault.azure.net@example.org", ""},
		{"a user", azure, "https://me@example.vault.azure.net", ""},
		{"a path", azure, "https://example.vault.azure.net/keys", ""},
		{"a query", azure, "https://example.vault.azure.net?x=1", ""},
		{"a fragment", azure, "https://example.vault.azure.net#x", ""},
		{"another port", azure, "https://example.vault.azure.net:8443", ""},
		{"another host", azure, "https://example.org", ""},
		{"loopback not admitted", azure, "https://127.0.0.1:8443", ""},
		{"localhost not admitted", azure, "http://localhost:8443", ""},
		{"loopback", local, "http://127.0.0.1:8443", "http://127.0.0.1:8443"},
		{"loopback of IPv6", local, "https://[::1]:8443", "https://[::1]:8443"},
		{"localhost", local, "https://localhost:8443/", "https://localhost:8443"},
		{"below localhost", local, "https://example.localhost:8443", "https://example.localhost:8443"},
		{"local admits Azure", local, "https://example.vault.azure.net", "https://example.vault.azure.net"},
		{"local is loopback only", local, "http://10.0.0.1:8443", ""},
		{"local is no prefix", local, "https://localhost.example.org", ""},
		{"another scheme on loopback", local, "ftp://localhost", ""},
		{"own domain", private, "https://a.vaults.example.org:8443", "https://a.vaults.example.org:8443"},
		{"own domain over http", private, "http://a.vaults.example.org", ""},
		{"beside own domain", private, "https://avaults.example.org", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := test.gate.address(test.raw)
			if (err == nil) != (test.want != "") || err == nil && got.String() != test.want {
				t.Errorf("address(%q) = %s, %v; want %q", test.raw, got, err, test.want)
			}
		})
	}
}

const someVersion = "0123456789abcdef0123456789ABCDEF"

func TestGateKID(t *testing.T) {
	t.Parallel()
	id, err := gate{}.kid("https://Example.vault.azure.net/keys/Invoices/" + someVersion)
	want := "https://example.vault.azure.net/keys/Invoices/" + strings.ToLower(someVersion)
	if err != nil || id.String() != want {
		t.Fatalf("kid = %s, %v; want %s", id, err, want)
	}
	for _, raw := range []string{
		"", "/keys//", "https://example.vault.azure.net/keys/invoices", "https://example.vault.azure.net/keys/invoices/",
		"https://example.vault.azure.net/keys/invoices/latest", "https://example.vault.azure.net/keys/in voices/" + someVersion,
		"https://example.vault.azure.net/keys/../" + someVersion, "https://example.vault.azure.net/keys/a/" + someVersion + "/sign",
		"https://example.vault.azure.net/secrets/a/" + someVersion, "https://example.org/keys/a/" + someVersion,
		"https://example.vault.azure.net/keys/" + strings.Repeat("a", 128) + "/" + someVersion,
	} {
		if id, err := (gate{}).kid(raw); err == nil {
			t.Errorf("kid(%q) = %s, want an error", raw, id)
		}
	}
}

func TestGateRef(t *testing.T) {
	t.Parallel()
	tests := map[string]signer.Ref{
		"vault":   {Vault: "https://example.org", Name: "a"},
		"no name": {Vault: "https://example.vault.azure.net"},
		"name":    {Vault: "https://example.vault.azure.net", Name: "a/b"},
		"version": {Vault: "https://example.vault.azure.net", Name: "a", Version: "1"},
	}
	for name, ref := range tests {
		var e *signer.Error
		if _, err := (gate{}).ref(ref); !errors.As(err, &e) || e.Code != schema.CodeKeyNotFound {
			t.Errorf("%s: %v, want code %s", name, err, schema.CodeKeyNotFound)
		}
	}
	if id, err := (gate{}).ref(signer.Ref{Vault: "https://example.vault.azure.net/", Name: "a"}); err != nil || id.String() != "https://example.vault.azure.net/keys/a" {
		t.Errorf("ref = %s, %v", id, err)
	}
}

func TestCheckAsksNobody(t *testing.T) {
	t.Parallel()
	c, err := New(Config{Local: true}) // no credential: it could not ask
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(signer.Ref{Vault: "https://example.org", Name: "a"}); err == nil {
		t.Error("a foreign host passes")
	}
	if err := c.Check(signer.Ref{Vault: "https://example.vault.azure.net", Name: "a"}); err != nil {
		t.Error(err)
	}
}

func FuzzKID(f *testing.F) {
	f.Add("https://example.vault.azure.net/keys/invoices/" + someVersion)
	f.Fuzz(func(t *testing.T, raw string) {
		g := gate{local: true}
		id, err := g.kid(raw)
		if err != nil {
			return
		}
		if again, err := g.kid(id.String()); err != nil || !again.same(id) {
			t.Errorf("kid(%q) = %s, and that is %s, %v", raw, id, again, err)
		}
	})
}
