package localvault_test

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

func exportable(kty azkeys.KeyType, policy *azkeys.KeyReleasePolicy) azkeys.CreateKeyParameters {
	return azkeys.CreateKeyParameters{Kty: &kty, KeyAttributes: &azkeys.KeyAttributes{Exportable: new(true)}, ReleasePolicy: policy}
}

func TestReleasePolicy(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{}))
	policy := &azkeys.KeyReleasePolicy{EncodedPolicy: []byte(`{"version":"1.0.0"}`), Immutable: new(true)}
	made, err := c.CreateKey(t.Context(), "k", exportable("EC-HSM", policy), nil)
	if err != nil {
		t.Fatal(err)
	}
	read, err := c.GetKey(t.Context(), "k", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	next, err := c.CreateKey(t.Context(), "k", exportable("EC-HSM", nil), nil) // only the first needs a policy
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []azkeys.KeyBundle{made.KeyBundle, read.KeyBundle, next.KeyBundle, rotate(t, c, "k")} {
		if p := got.ReleasePolicy; p == nil || string(p.EncodedPolicy) != string(policy.EncodedPolicy) || !*p.Immutable || *p.ContentType != "application/json; charset=utf-8" || !*got.Attributes.Exportable {
			t.Errorf("release policy %+v of %s", p, *got.Key.KID)
		}
	}
	for name, change := range map[string]azkeys.UpdateKeyParameters{
		"exportable": {KeyAttributes: &azkeys.KeyAttributes{Exportable: new(false)}}, "immutable": {ReleasePolicy: policy},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.UpdateKey(t.Context(), "k", "", change, nil)
			wantRefusal(t, err, 400, "BadParameter", "")
		})
	}
}

func TestReleasePolicyRefused(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{}))
	policy := &azkeys.KeyReleasePolicy{EncodedPolicy: []byte(`{}`)}
	for name, p := range map[string]azkeys.CreateKeyParameters{
		"software key":   exportable("EC", policy),
		"no policy":      exportable("EC-HSM", nil),
		"empty policy":   exportable("EC-HSM", &azkeys.KeyReleasePolicy{}),
		"not exportable": {Kty: new(azkeys.KeyTypeECHSM), ReleasePolicy: policy},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.CreateKey(t.Context(), "k", p, nil)
			wantRefusal(t, err, 400, "BadParameter", "")
		})
	}
}

// No key ever leaves.
func TestReleaseRefuses(t *testing.T) {
	t.Parallel()
	_, c := oneKey(t, localvault.KeySpec{Type: "EC-HSM"})
	if _, err := c.CreateKey(t.Context(), "e", exportable("EC-HSM", &azkeys.KeyReleasePolicy{EncodedPolicy: []byte(`{}`)}), nil); err != nil {
		t.Fatal(err)
	}
	release := func(name string, p azkeys.ReleaseParameters) error {
		_, err := c.Release(t.Context(), name, "", p, nil)
		return err
	}
	good := azkeys.ReleaseParameters{TargetAttestationToken: new("a.b.c"), Algorithm: new(azkeys.KeyEncryptionAlgorithmRSAAESKEYWRAP256)}
	wantRefusal(t, release("k", good), 403, "Forbidden", "KeyNotExportable")
	wantRefusal(t, release("e", good), 403, "Forbidden", "AccessDenied")
	wantRefusal(t, release("none", good), 404, "KeyNotFound", "")
	wantRefusal(t, release("e", azkeys.ReleaseParameters{}), 400, "BadParameter", "")
	good.Algorithm = new(azkeys.KeyEncryptionAlgorithm("ROT13"))
	wantRefusal(t, release("e", good), 400, "BadParameter", "")
}
