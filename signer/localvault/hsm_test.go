package localvault_test

import (
	"bytes"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

func managedHSM(t *testing.T, keys ...localvault.KeySpec) (*localvault.Server, *azkeys.Client) {
	t.Helper()
	server := start(t, localvault.Config{ManagedHSM: true, Keys: keys})
	return server, clientFor(t, "https://pool.managedhsm.azure.net", server.RoundTripper())
}

// Whoever asks a Managed HSM for a software key gets one of the HSM type, as
// the recorded tests of the SDKs do.
func TestManagedHSMKnowsHSMTypesOnly(t *testing.T) {
	t.Parallel()
	_, c := managedHSM(t)
	for kty, want := range map[azkeys.KeyType]azkeys.KeyType{"RSA": "RSA-HSM", "EC": "EC-HSM", "oct": "oct-HSM", "EC-HSM": "EC-HSM"} {
		made, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: &kty}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if *made.Key.Kty != want {
			t.Errorf("%s: made %s", kty, *made.Key.Kty)
		}
	}
	_, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyType("DSA"))}, nil)
	wantRefusal(t, err, 400, "BadParameter", "KeyTypeNotSupported")
}

func TestRandomBytes(t *testing.T) {
	t.Parallel()
	_, c := managedHSM(t)
	random := func(c *azkeys.Client, n int32) ([]byte, error) {
		answer, err := c.GetRandomBytes(t.Context(), azkeys.GetRandomBytesParameters{Count: &n}, nil)
		return answer.Value, err
	}
	for _, n := range []int32{1, 128} {
		if got, err := random(c, n); err != nil || len(got) != int(n) {
			t.Errorf("%d: %x, %v", n, got, err)
		}
	}
	first, _ := random(c, 32)
	if second, _ := random(c, 32); bytes.Equal(first, second) {
		t.Errorf("%x twice", first)
	}
	for _, n := range []int32{-1, 0, 129} {
		_, err := random(c, n)
		wantRefusal(t, err, 400, "BadParameter", "")
	}
	_, err := random(client(t, start(t, localvault.Config{})), 16)
	wantRefusal(t, err, 404, "NotFound", "")
}

func TestAttestation(t *testing.T) {
	t.Parallel()
	_, c := managedHSM(t, localvault.KeySpec{Name: "ec", Type: "EC-HSM"}, localvault.KeySpec{Name: "oct", Type: "oct-HSM"})
	for name, public := range map[string]bool{"ec": true, "oct": false} {
		got, err := c.GetKeyAttestation(t.Context(), name, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		a := got.Attributes.Attestation
		if a == nil || !bytes.HasPrefix(a.CertificatePEMFile, []byte("-----BEGIN CERTIFICATE-----")) || len(a.PrivateKeyAttestation) == 0 || (len(a.PublicKeyAttestation) > 0) != public {
			t.Errorf("%s: %+v", name, a)
		}
		versioned, err := c.GetKeyAttestation(t.Context(), name, got.Key.KID.Version(), nil)
		if err != nil || *versioned.Key.KID != *got.Key.KID {
			t.Errorf("%s: %+v, %v", name, versioned.Key, err)
		}
		plain, err := c.GetKey(t.Context(), name, "", nil)
		if err != nil || plain.Attributes.Attestation != nil {
			t.Errorf("%s: %+v, %v", name, plain.Attributes, err)
		}
	}
	_, c = oneKey(t, localvault.KeySpec{Type: "RSA-HSM"})
	_, err := c.GetKeyAttestation(t.Context(), "k", "", nil)
	wantRefusal(t, err, 400, "BadParameter", "")
}
