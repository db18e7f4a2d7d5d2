package localvault_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

func saveKey(t *testing.T, c *azkeys.Client, name string) []byte {
	t.Helper()
	saved, err := c.BackupKey(t.Context(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return saved.Value
}

func restore(t *testing.T, c *azkeys.Client, value []byte) (azkeys.KeyBundle, error) {
	t.Helper()
	restored, err := c.RestoreKey(t.Context(), azkeys.RestoreKeyParameters{KeyBackup: value}, nil)
	return restored.KeyBundle, err
}

func wipe(t *testing.T, c *azkeys.Client, name string) {
	t.Helper()
	remove(t, c, name)
	if _, err := c.PurgeDeletedKey(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
}

// A restored key is what it was: versions, attributes, tags and secret.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	cases := []struct {
		spec localvault.KeySpec
		alg  string
	}{
		{localvault.KeySpec{Type: "RSA"}, "PS256"},
		{localvault.KeySpec{Type: "EC", Curve: "P-521"}, "ES512"},
		{localvault.KeySpec{Type: "EC-HSM", Curve: "P-256K"}, "ES256K"},
		{localvault.KeySpec{Type: "oct-HSM", Size: 192}, "HS384"},
	}
	for _, tc := range cases {
		t.Run(tc.spec.Type+tc.spec.Curve, func(t *testing.T) {
			t.Parallel()
			tc.spec.Tags, tc.spec.Ops = map[string]string{"a": "b"}, []string{"sign", "verify"}
			_, c := oneKey(t, tc.spec)
			if _, err := c.UpdateKeyRotationPolicy(t.Context(), "k", policyOf("P40D"), nil); err != nil {
				t.Fatal(err)
			}
			rotate(t, c, "k")
			before, err := c.GetKey(t.Context(), "k", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			ids, digest := listVersions(t, c, "k"), randomDigest(tc.alg)
			signed, err := c.Sign(t.Context(), "k", ids[0], azkeys.SignParameters{Algorithm: new(azkeys.SignatureAlgorithm(tc.alg)), Value: digest}, nil)
			if err != nil {
				t.Fatal(err)
			}
			saved := saveKey(t, c, "k")
			wipe(t, c, "k")
			after, err := restore(t, c, saved)
			if err != nil {
				t.Fatal(err)
			}
			if *after.Key.KID != *before.Key.KID || *after.Key.Kty != *before.Key.Kty || *after.Tags["a"] != "b" || len(after.Key.KeyOps) != 2 ||
				!after.Attributes.Created.Equal(*before.Attributes.Created) || !after.Attributes.Expires.Equal(*before.Attributes.Expires) {
				t.Errorf("restored %+v, want %+v", after, before)
			}
			if got := listVersions(t, c, "k"); !slices.Equal(got, ids) {
				t.Errorf("versions %v, want %v", got, ids)
			}
			verifyBothWays(t, c, signed.KID, tc.alg, digest, signed.Result)
			policy, err := c.GetKeyRotationPolicy(t.Context(), "k", nil)
			if err != nil || *policy.Attributes.ExpiryTime != "P40D" {
				t.Errorf("policy %+v, %v", policy.Attributes, err)
			}
		})
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	_, c := oneKey(t, localvault.KeySpec{Type: "EC"})
	saved := saveKey(t, c, "k")
	_, err := restore(t, c, saved)
	wantRefusal(t, err, 409, "Conflict", "")
	remove(t, c, "k")
	_, err = restore(t, c, saved)
	wantRefusal(t, err, 409, "Conflict", "ObjectIsDeletedButRecoverable")
	if _, err := c.PurgeDeletedKey(t.Context(), "k", nil); err != nil {
		t.Fatal(err)
	}
	_, elsewhere := oneKey(t, localvault.KeySpec{Type: "EC"})
	for name, value := range map[string][]byte{"nothing": nil, "short": saved[:11], "cut": saved[:len(saved)-1], "bit": flip(saved), "of another vault": saveKey(t, elsewhere, "k")} {
		t.Run(name, func(t *testing.T) {
			_, err := restore(t, c, value)
			wantRefusal(t, err, 400, "BadParameter", "")
		})
	}
	if _, err := restore(t, c, saved); err != nil {
		t.Errorf("the good one: %v", err)
	}
	_, err = c.BackupKey(t.Context(), "none", nil)
	wantRefusal(t, err, 404, "KeyNotFound", "")
}

// The blob shows nothing of the key, and no two are alike.
func TestBackupIsOpaque(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{}))
	secret := bytes.Repeat([]byte{0xa5}, 32)
	jwk := &azkeys.JSONWebKey{Kty: new(azkeys.KeyTypeOctHSM), K: secret}
	if _, err := c.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: jwk}, nil); err != nil {
		t.Fatal(err)
	}
	first, second := saveKey(t, c, "k"), saveKey(t, c, "k")
	if bytes.Contains(first, secret) || strings.Contains(string(first), b64(secret)) || strings.Contains(string(first), "oct") || bytes.Equal(first, second) {
		t.Errorf("%q", first)
	}
}

// A backup of many versions is larger than any other body.
func TestLargeBackup(t *testing.T) {
	t.Parallel()
	_, c := oneKey(t, localvault.KeySpec{Type: "oct-HSM"})
	for range 499 {
		rotate(t, c, "k")
	}
	saved := saveKey(t, c, "k")
	if len(saved) < 64<<10 {
		t.Fatalf("only %d bytes", len(saved))
	}
	wipe(t, c, "k")
	if _, err := restore(t, c, saved); err != nil {
		t.Error(err)
	}
	rotate(t, c, "k")
	_, err := c.BackupKey(t.Context(), "k", nil)
	wantRefusal(t, err, 400, "BadParameter", "")
	wantText(t, err, 500, 501)
}
