package keyvault

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// keep opens a vault in memory and a handle on it.
func keep(t testing.TB, config localvault.Config) *Vault {
	t.Helper()
	return vaultOf(t, clientOf(t, openVault(t, config).RoundTripper(), nil), vaultURL)
}

func vaultOf(t testing.TB, c *Client, url string) *Vault {
	t.Helper()
	v, err := c.Vault(url)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustCreate(t testing.TB, v *Vault, spec KeySpec) KeyInfo {
	t.Helper()
	info, err := v.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestCreate(t *testing.T) {
	t.Parallel()
	v := keep(t, localvault.Config{})
	from, until := time.Unix(2_000_000_000, 0), time.Unix(2_100_000_000, 0)
	tests := []struct {
		name  string
		spec  KeySpec
		kind  string
		size  int
		curve string
	}{
		{name: "rsa", spec: KeySpec{Type: "RSA"}, kind: "RSA", size: 2048},
		{name: "rsa-3072-hsm", spec: KeySpec{Type: "RSA", Size: 3072, HSM: true}, kind: "RSA-HSM", size: 3072},
		{name: "ec", spec: KeySpec{Type: "EC"}, kind: "EC", curve: "P-256"},
		{name: "ec-p521", spec: KeySpec{Type: "EC", Curve: "P-521"}, kind: "EC", curve: "P-521"},
		{name: "ec-k1", spec: KeySpec{Type: "EC", Curve: "P-256K"}, kind: "EC", curve: "P-256K"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.spec.Name = test.name
			test.spec.Settings = Settings{Operations: []string{"sign"}, NotBefore: from, Expires: until, Tags: map[string]string{"team": "billing"}}
			made := mustCreate(t, v, test.spec)
			if made.Type != test.kind || made.Size != test.size || made.Curve != test.curve || made.Public == nil || !made.Enabled {
				t.Errorf("Create = %+v", made)
			}
			if !made.NotBefore.Equal(from) || !made.Expires.Equal(until) || made.Tags["team"] != "billing" || !slices.Equal(made.Operations, []string{"sign"}) {
				t.Errorf("the settings of %+v", made)
			}
			got, err := v.Get(t.Context(), test.name, made.Version)
			if err != nil || got.KID != made.KID || !equal(got.Public, made.Public) {
				t.Errorf("Get = %+v, %v", got, err)
			}
		})
	}
}

func TestCreateComparesWithWhatWasAsked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spec KeySpec
		says string
	}{
		"type":  {KeySpec{Type: "RSA"}, "its type is EC and not RSA"},
		"curve": {KeySpec{Type: "EC", Curve: "P-384"}, `its curve is "P-256" and not "P-384"`},
		"hsm":   {KeySpec{Type: "EC", HSM: true}, "its type is EC and not EC-HSM"},
	}
	for name, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			vault := newStub(t, nil)
			vault.script = func(int64, *http.Request) (*http.Response, error) { return answer200(vault.bundle()), nil }
			test.spec.Name = "invoices"
			_, err := vaultOf(t, clientOf(t, vault, nil), someRef().Vault).Create(t.Context(), test.spec)
			wantCode(t, name, err, schema.CodeIntegrity)
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s: %v, want %q in it", name, err, test.says)
			}
		})
	}
}

// TestSpecsAreChecked: what cannot be right costs no call, and all of it is
// told at once.
func TestSpecsAreChecked(t *testing.T) {
	t.Parallel()
	v := keep(t, localvault.Config{})
	now := time.Now()
	tests := map[string]struct {
		spec KeySpec
		says string
	}{
		"type":       {KeySpec{Name: "a", Type: "DSA"}, "use one of RSA, EC, oct"},
		"size":       {KeySpec{Name: "a", Type: "RSA", Size: 1024}, "use one of [2048 3072 4096]"},
		"oct":        {KeySpec{Name: "a", Type: "oct", Size: 512}, "use one of [128 192 256]"},
		"EC size":    {KeySpec{Name: "a", Type: "EC", Size: 256}, "that of its curve"},
		"curve":      {KeySpec{Name: "a", Type: "EC", Curve: "Ed25519"}, "use one of P-256"},
		"RSA curve":  {KeySpec{Name: "a", Type: "RSA", Curve: "P-256"}, "for EC keys only"},
		"name":       {KeySpec{Name: "a/b", Type: "EC"}, "letters, digits and hyphens"},
		"operation":  {KeySpec{Name: "a", Type: "EC", Settings: Settings{Operations: []string{"sing"}}}, `operation "sing"`},
		"tag":        {KeySpec{Name: "a", Type: "EC", Settings: Settings{Tags: map[string]string{"": "x"}}}, "a name has 1 to 256"},
		"dates":      {KeySpec{Name: "a", Type: "EC", Settings: Settings{NotBefore: now, Expires: now}}, "before it is valid"},
		"exportable": {KeySpec{Name: "a", Type: "EC", Settings: Settings{Exportable: true}}, "needs a release policy"},
		"all":        {KeySpec{Name: "", Type: "EC", Size: 1}, "\n"},
	}
	for name, test := range tests {
		_, err := v.Create(t.Context(), test.spec)
		wantCode(t, name, err, schema.CodeVaultRejected)
		if !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q in it", name, err, test.says)
		}
	}
}

func TestVaultRefusesForeignHosts(t *testing.T) {
	t.Parallel()
	c := clientOf(t, http.DefaultTransport, nil)
	for _, url := range []string{"https://example.org", "http://example.vault.azure.net", "example", ""} {
		_, err := c.Vault(url)
		wantCode(t, url, err, schema.CodeForbidden)
	}
	v := vaultOf(t, c, "https://Example.vault.azure.net:443/")
	if v.URL() != "https://example.vault.azure.net" || v.HSM() || !vaultOf(t, c, "https://x.managedhsm.azure.net").HSM() {
		t.Errorf("URL = %s", v.URL())
	}
}

// TestOnlyWhatIsSafeIsRepeated: an operation that makes something is repeated
// after a refusal, and not after an answer that was lost.
func TestOnlyWhatIsSafeIsRepeated(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first func() (*http.Response, error)
		calls int64
	}{
		"429":  {func() (*http.Response, error) { return status(429), nil }, 2},
		"503":  {func() (*http.Response, error) { return status(503), nil }, 2},
		"500":  {func() (*http.Response, error) { return status(500), nil }, 1},
		"504":  {func() (*http.Response, error) { return status(504), nil }, 1},
		"lost": {func() (*http.Response, error) { return nil, http.ErrServerClosed }, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			vault := newStub(t, nil)
			vault.script = func(n int64, _ *http.Request) (*http.Response, error) {
				if n == 1 {
					return test.first()
				}
				return answer200(vault.bundle()), nil
			}
			_, err := vaultOf(t, clientOf(t, vault, nil), someRef().Vault).Create(t.Context(), KeySpec{Name: "invoices", Type: "EC"})
			if vault.calls.Load() != test.calls || (err == nil) != (test.calls == 2) {
				t.Errorf("%s: %d requests, %v; want %d", name, vault.calls.Load(), err, test.calls)
			}
			if name == "lost" && !strings.Contains(err.Error(), "look before you repeat it") {
				t.Errorf("%v does not say that it may have been done", err)
			}
		})
	}
}

// TestRotationIsSeen: what the client knew of a key is asked anew after a
// change that went through it.
func TestRotationIsSeen(t *testing.T) {
	t.Parallel()
	v := keep(t, localvault.Config{})
	old := mustCreate(t, v, KeySpec{Name: "k", Type: "EC"})
	ref := signer.Ref{Vault: vaultURL, Name: "k"}
	if key := resolve(t, v.client, ref); key.KID != old.KID {
		t.Fatalf("Resolve = %s", key.KID)
	}
	fresh := mustCreate(t, v, KeySpec{Name: "K", Type: "EC"})
	if key := resolve(t, v.client, ref); !strings.EqualFold(key.KID, fresh.KID) {
		t.Errorf("Resolve = %s after a new version %s", key.KID, fresh.KID)
	}
}
