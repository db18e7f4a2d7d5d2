package keyvault

import (
	"fmt"
	"iter"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
)

func collect(t testing.TB, seq iter.Seq2[KeyInfo, error]) (keys []KeyInfo) {
	t.Helper()
	for k, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	return keys
}

// TestListsGoOnOverPages lists more than fits one page.
func TestListsGoOnOverPages(t *testing.T) {
	t.Parallel()
	v := keep(t, localvault.Config{})
	for i := range 60 {
		mustCreate(t, v, KeySpec{Name: fmt.Sprintf("key-%02d", i), Type: "EC", Settings: Settings{Tags: map[string]string{"n": fmt.Sprint(i)}}})
	}
	for range 30 {
		mustCreate(t, v, KeySpec{Name: "key-00", Type: "EC"})
	}
	seen := map[string]bool{}
	for _, k := range collect(t, v.List(t.Context())) {
		if k.Version != "" || k.KID != vaultURL+"/keys/"+k.Name {
			t.Errorf("listed %+v", k)
		}
		seen[k.Name] = true
	}
	if len(seen) != 60 {
		t.Errorf("%d keys are listed, want 60", len(seen))
	}
	if got := len(collect(t, v.Versions(t.Context(), "key-00"))); got != 31 {
		t.Errorf("%d versions are listed, want 31", got)
	}
	for range v.List(t.Context()) {
		break // and no more pages are asked for
	}
}

// TestListsStayInTheVault: a token does not follow a link to another host.
func TestListsStayInTheVault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(_ int64, req *http.Request) (*http.Response, error) {
			if req.URL.Host != "example.vault.azure.net" {
				t.Errorf("asked %s", req.URL)
				return status(404), nil
			}
			return answer200(map[string]any{"value": []any{}, "nextLink": "https://evil.vault.azure.net/keys?x=1"}), nil
		})
		for _, err := range vaultOf(t, clientOf(t, vault, nil), someRef().Vault).List(t.Context()) {
			wantCode(t, "foreign link", err, schema.CodeIntegrity)
		}
		asked(t, "a foreign link", vault, 1)
	})
}

// TestForeignKeysAreRefused: a list may not name another vault's keys.
func TestForeignKeysAreRefused(t *testing.T) {
	t.Parallel()
	for _, kid := range []string{"https://evil.vault.azure.net/keys/a", "https://example.vault.azure.net/secrets/a", "", "https://example.vault.azure.net/keys/a/b"} {
		synctest.Test(t, func(t *testing.T) {
			vault := newStub(t, func(int64, *http.Request) (*http.Response, error) {
				return answer200(map[string]any{"value": []any{map[string]any{"kid": kid}}}), nil
			})
			for _, err := range vaultOf(t, clientOf(t, vault, nil), someRef().Vault).List(t.Context()) {
				wantCode(t, kid, err, schema.CodeIntegrity)
			}
		})
	}
}

// TestPagesAreRepeated: a page that failed is asked for again, and no key is
// told twice.
func TestPagesAreRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		page := func(name, next string) *http.Response {
			return answer200(map[string]any{"value": []any{map[string]any{"kid": someRef().Vault + "/keys/" + name}}, "nextLink": next})
		}
		vault := newStub(t, func(n int64, _ *http.Request) (*http.Response, error) {
			switch n {
			case 1:
				return page("a", "https://example.vault.azure.net:443/keys?$skiptoken=1"), nil
			case 2:
				return status(429), nil
			}
			return page("b", ""), nil
		})
		keys := collect(t, vaultOf(t, clientOf(t, vault, nil), someRef().Vault).List(t.Context()))
		if len(keys) != 2 || keys[0].Name != "a" || keys[1].Name != "b" {
			t.Errorf("listed %+v", keys)
		}
	})
}
