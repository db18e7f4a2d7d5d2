package keyvault

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/signmill/signmill/schema"
)

// TestCures goes through the refusals that mean something of their own to
// those who keep keys.
func TestCures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status int
		inner  string
		want   schema.Code
		says   string
	}{
		{409, "ObjectIsDeletedButRecoverable", schema.CodeVaultRejected, "signmill keys purge invoices --vault https://example.vault.azure.net"},
		{409, "", schema.CodeVaultRejected, "signmill keys recover invoices"},
		{409, "ObjectIsBeingDeleted", schema.CodeVaultRejected, "try again"},
		{409, "KeyAlreadyExists", schema.CodeVaultRejected, "signmill keys delete invoices"},
		{403, "ForbiddenByRbac", schema.CodeForbidden, `"Key Vault Crypto Officer"`},
		{403, "AccessDenied", schema.CodeForbidden, "--key-permissions all"},
		{403, "ForbiddenByFirewall", schema.CodeForbidden, "network-rule"},
		{403, "KeyDisabled", schema.CodeKeyUnusable, "signmill keys enable invoices"},
		{404, "", schema.CodeKeyNotFound, "signmill keys list-deleted"},
		{400, "", schema.CodeVaultRejected, "the vault says no"},
		{400, "KeyTypeNotSupported", schema.CodeVaultRejected, "need a Managed HSM"},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			vault := newStub(t, func(int64, *http.Request) (*http.Response, error) { return refusal(test.status, "X", test.inner), nil })
			_, err := vaultOf(t, clientOf(t, vault, nil), someRef().Vault).Create(t.Context(), KeySpec{Name: "invoices", Type: "EC"})
			wantCode(t, test.inner, err, test.want)
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%d %s: %v, want %q in it", test.status, test.inner, err, test.says)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(int64, *http.Request) (*http.Response, error) { return refusal(403, "Forbidden", ""), nil })
		err := vaultOf(t, clientOf(t, vault, nil), someRef().Vault).Purge(t.Context(), "invoices")
		if wantCode(t, "purge", err, schema.CodeForbidden); !strings.Contains(err.Error(), "under purge protection nobody may") {
			t.Errorf("purge: %v", err)
		}
	})
	role := task{id: keyID{vault: address{host: "x.managedhsm.azure.net"}}}.officerRole()
	if !strings.Contains(role, `--hsm-name x --role "Managed HSM Crypto Officer"`) {
		t.Errorf("the advice reads %q", role)
	}
}
