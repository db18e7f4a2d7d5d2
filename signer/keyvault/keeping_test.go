package keyvault

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/signmill/signmill/schema"
)

// answering is a vault that gives one answer to everything.
func answering(t testing.TB, body any) *Vault {
	t.Helper()
	vault := newStub(t, func(int64, *http.Request) (*http.Response, error) { return answer200(body), nil })
	return vaultOf(t, clientOf(t, vault, nil), someRef().Vault)
}

func TestRotationPolicies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		policy RotationPolicy
		says   string // "": good
	}{
		"nothing":          {RotationPolicy{}, ""},
		"age":              {RotationPolicy{RotateAfterCreate: "P18M", ExpiresAfter: "P2Y"}, ""},
		"expiry":           {RotationPolicy{RotateBeforeExpiry: "P30D", ExpiresAfter: "P1Y10D", NotifyBeforeExpiry: "P30D"}, ""},
		"both":             {RotationPolicy{RotateAfterCreate: "P1M", RotateBeforeExpiry: "P1M", ExpiresAfter: "P1Y"}, "not both"},
		"no expiry":        {RotationPolicy{RotateBeforeExpiry: "P1M"}, "never expire"},
		"no expiry, event": {RotationPolicy{NotifyBeforeExpiry: "P1M"}, "never expire"},
		"days":             {RotationPolicy{RotateAfterCreate: "90d"}, "ISO 8601"},
		"only P":           {RotationPolicy{RotateAfterCreate: "P"}, "ISO 8601"},
		"only T":           {RotationPolicy{RotateAfterCreate: "P1DT"}, "ISO 8601"},
	}
	for name, test := range tests {
		err := test.policy.Check()
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
		if err == nil && readRotation(test.policy.sdk()) != test.policy {
			t.Errorf("%s: reads %+v back", name, readRotation(test.policy.sdk()))
		}
	}
}

func TestRandom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got, err := answering(t, map[string]any{"value": base64url(make([]byte, 128))}).Random(t.Context(), 256)
		if err != nil || len(got) != 256 {
			t.Errorf("Random = %d bytes, %v", len(got), err)
		}
		_, err = answering(t, map[string]any{"value": base64url(make([]byte, 16))}).Random(t.Context(), 32)
		wantCode(t, "too few", err, schema.CodeIntegrity)
		for _, n := range []int{0, -1, maxRandom + 1} {
			_, err := answering(t, nil).Random(t.Context(), n)
			wantCode(t, "out of bounds", err, schema.CodeVaultRejected)
		}
	})
}

// TestLargeBackups: a backup may be longer than any other answer.
func TestLargeBackups(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		blob := bytes.Repeat([]byte("x"), 4*maxAnswer)
		v := answering(t, map[string]any{"value": base64url(blob)})
		got, err := v.Backup(t.Context(), "invoices")
		if err != nil || !bytes.Equal(got, blob) {
			t.Errorf("Backup = %d bytes, %v", len(got), err)
		}
		_, err = answering(t, map[string]any{}).Backup(t.Context(), "invoices")
		wantCode(t, "no backup", err, schema.CodeIntegrity)
		_, err = v.Restore(t.Context(), nil)
		wantCode(t, "nothing to restore", err, schema.CodeVaultRejected)
		stub := newStub(t, nil)
		info, err := answering(t, stub.bundle()).Restore(t.Context(), blob)
		if err != nil || info.KID != someKID {
			t.Errorf("Restore = %+v, %v", info, err)
		}
	})
}

func TestAttest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bundle := newStub(t, nil).bundle()
		_, err := answering(t, bundle).Attest(t.Context(), "invoices", "")
		wantCode(t, "no attestation", err, schema.CodeKeyUnusable)
		bundle["attributes"] = map[string]any{"attestation": map[string]any{
			"version": "1.0", "certificatePemFile": base64url([]byte("pem")), "privateKeyAttestation": base64url([]byte("private")),
		}}
		proof, err := answering(t, bundle).Attest(t.Context(), "invoices", "")
		if err != nil || proof.Version != "1.0" || string(proof.Private) != "private" || string(proof.Certificates) != "pem" || proof.Key.KID != someKID {
			t.Errorf("Attest = %+v, %v", proof, err)
		}
	})
}

// TestAnotherKeysAnswer: no operation takes an answer about another key.
func TestAnotherKeysAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := answering(t, newStub(t, nil).bundle())
		for name, call := range map[string]func(context.Context) (KeyInfo, error){
			"get":     func(ctx context.Context) (KeyInfo, error) { return v.Get(ctx, "other", "") },
			"version": func(ctx context.Context) (KeyInfo, error) { return v.Get(ctx, "invoices", strings.Repeat("f", 32)) },
			"rotate":  func(ctx context.Context) (KeyInfo, error) { return v.Rotate(ctx, "other") },
			"update": func(ctx context.Context) (KeyInfo, error) {
				return v.Update(ctx, "other", "", Change{Enabled: new(true)})
			},
			"delete":  func(ctx context.Context) (KeyInfo, error) { return v.Delete(ctx, "other") },
			"recover": func(ctx context.Context) (KeyInfo, error) { return v.Recover(ctx, "other") },
		} {
			info, err := call(t.Context())
			wantCode(t, name, err, schema.CodeIntegrity)
			if info.KID != "" {
				t.Errorf("%s: a result beside an error: %+v", name, info)
			}
		}
	})
}
