package keyvault

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// TestRefusalsSayWhatToDo goes through what a vault answers and what people
// must do then. The message never repeats the vault's words; the cause does.
func TestRefusalsSayWhatToDo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status      int
		code, inner string
		want        schema.Code
		says        string
	}{
		{403, "Forbidden", "ForbiddenByRbac", schema.CodeForbidden, `az role assignment create --role "Key Vault Crypto User"`},
		{403, "Forbidden", "", schema.CodeForbidden, `"Key Vault Crypto User"`},
		{403, "Forbidden", "AccessDenied", schema.CodeForbidden, "az keyvault set-policy --name example"},
		{403, "Forbidden", "ForbiddenByFirewall", schema.CodeForbidden, "az keyvault network-rule add --name example"},
		{403, "Forbidden", "KeyOperationForbidden", schema.CodeKeyUnusable, "--version 0123456789abcdef0123456789abcdef --ops sign verify"},
		{403, "Forbidden", "KeyDisabled", schema.CodeKeyUnusable, "az keyvault key set-attributes --vault-name example --name invoices"},
		{403, "Forbidden", "KeyExpired", schema.CodeKeyUnusable, "az keyvault key rotate --vault-name example --name invoices"},
		{403, "Forbidden", "KeyNotYetValid", schema.CodeKeyUnusable, "--not-before"},
		{404, "KeyNotFound", "", schema.CodeKeyNotFound, "az keyvault key list-versions --vault-name example --name invoices"},
		{403, "Forbidden", "ForbiddenByConnection", schema.CodeForbidden, "az keyvault update --name example --public-network-access Enabled"},
		{404, "KeyNotFound", "ObjectIsDeletedButRecoverable", schema.CodeKeyNotFound, "az keyvault key recover --vault-name example --name invoices"},
		{409, "ObjectIsDeletedButRecoverable", "", schema.CodeKeyNotFound, "az keyvault key recover"},
		{409, "Conflict", "ObjectIsDeletedButRecoverable", schema.CodeKeyNotFound, "az keyvault key recover"},
		{403, "Forbidden", "HsmNotActivated", schema.CodeForbidden, "az keyvault security-domain download --hsm-name example"},
		{503, "HsmNotActivated", "", schema.CodeForbidden, "not activated"},
		{401, "Unauthorized", "", schema.CodeForbidden, "tenant"},
		{400, "BadParameter", "", schema.CodeVaultRejected, "refused"},
		{409, "Conflict", "", schema.CodeVaultRejected, "refused"},
		{429, "Throttled", "", schema.CodeThrottled, "quota"},
		{408, "", "", schema.CodeUnavailable, "at the moment"},
		{503, "InternalServerError", "", schema.CodeUnavailable, "at the moment"},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			vault := newStub(t, func(int64, *http.Request) (*http.Response, error) {
				return refusal(test.status, test.code, test.inner), nil
			})
			c := clientOf(t, vault, func(config *Config) { config.Retry.Attempts = 1 })
			err := signOnce(t, c, vault.key())
			what := http.StatusText(test.status) + " " + test.inner
			wantCode(t, what, err, test.want)
			e := signer.AsError(err)
			if !strings.Contains(e.Message, test.says) || !strings.Contains(e.Message, someKID) || strings.Contains(e.Message, "says no") {
				t.Errorf("%s: the message reads %q, want %q in it", what, e.Message, test.says)
			}
			if e.Err == nil || !strings.Contains(e.Err.Error(), "the vault says no") || !strings.Contains(e.Err.Error(), test.inner) {
				t.Errorf("%s: the cause reads %v", what, e.Err)
			}
		})
	}
}

// TestCuresNameTheOperation goes through the operations that ask a vault.
func TestCuresNameTheOperation(t *testing.T) {
	t.Parallel()
	id := someID(t)
	for operation, want := range map[schema.Operation][2]string{
		schema.Sign: {"--ops sign encrypt", "--key-permissions get sign"}, schema.Decrypt: {"--ops encrypt decrypt", "get decrypt"},
		schema.UnwrapKey: {"--ops encrypt unwrapKey", "get unwrapKey"}, schema.GetPublicKey: {"", "--key-permissions get"},
	} {
		task := task{operation: operation, id: id, allowed: []string{"encrypt"}}
		if _, cure := task.forbidden(answer{inner: "KeyOperationForbidden"}); operation != schema.GetPublicKey && !strings.HasSuffix(cure, want[0]) {
			t.Errorf("%s: %s", operation, cure)
		}
		if _, cure := task.forbidden(answer{inner: "AccessDenied"}); !strings.HasSuffix(cure, want[1]) {
			t.Errorf("%s: %s", operation, cure)
		}
	}
}

// TestRefusedCiphertextsStayUnexplained: what the vault said about one is in
// no part of the error.
func TestRefusedCiphertextsStayUnexplained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(_ int64, req *http.Request) (*http.Response, error) {
			return refusal(400, "BadParameter", "WrongPadding"), nil
		})
		c := clientOf(t, vault, nil)
		key := vault.key()
		key.Public, key.Symmetric = nil, true
		_, err := c.Unwrap(t.Context(), key, schema.A128KW, make([]byte, 24))
		wantCode(t, "Unwrap", err, schema.CodeVaultRejected)
		_, err2 := c.Decrypt(t.Context(), key, schema.A128CBC, signer.Sealed{Ciphertext: make([]byte, 16), IV: make([]byte, 16)})
		wantCode(t, "Decrypt", err2, schema.CodeVaultRejected)
		for _, err := range []error{err, err2} {
			if text := err.Error(); strings.Contains(text, "Padding") || strings.Contains(text, "says no") || !strings.Contains(text, "request id") {
				t.Errorf("the error reads %s", text)
			}
		}
	})
}

// TestUnknownHosts have an advice of their own.
func TestUnknownHosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(int64, *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "example.vault.azure.net", IsNotFound: true}}
		})
		err := signOnce(t, clientOf(t, vault, func(config *Config) { config.Retry.Attempts = 2 }), vault.key())
		wantCode(t, "DNS", err, schema.CodeUnavailable)
		if text := signer.AsError(err).Message; !strings.Contains(text, "not known to DNS") || !strings.Contains(text, "az keyvault list") || vault.calls.Load() != 2 {
			t.Errorf("%d calls; the message reads %s", vault.calls.Load(), text)
		}
	})
}

func TestRefusalsOfAManagedHSM(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vault := newStub(t, func(int64, *http.Request) (*http.Response, error) { return refusal(403, "Forbidden", ""), nil })
		key := vault.key()
		key.KID = strings.Replace(key.KID, ".vault.", ".managedhsm.", 1)
		c := clientOf(t, vault, nil)
		err := signOnce(t, c, key)
		// The stub's challenge is for vaults: the SDK must not follow it.
		wantCode(t, "challenge for another service", err, schema.CodeUnavailable)
		if vault.calls.Load() != 0 {
			t.Error("a token for vaults went to a Managed HSM")
		}
		id, _ := c.gate.kid(key.KID)
		_, advice := task{operation: schema.Sign, id: id}.forbidden(answer{})
		if !strings.Contains(advice, `--hsm-name example --role "Managed HSM Crypto User"`) {
			t.Errorf("the advice reads %q", advice)
		}
	})
}

func TestClip(t *testing.T) {
	t.Parallel()
	if got := clip("one\ntwo\x1b[0mé"+strings.Repeat("x", 99), 13); got != "one two [0méx" {
		t.Errorf("clip = %q", got)
	}
}
