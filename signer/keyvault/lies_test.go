package keyvault

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

const hsmURL = "https://pool.managedhsm.azure.net"

// hsmSpecs has a key of the hardware types for each kind that an algorithm
// needs.
func hsmSpecs() []localvault.KeySpec {
	specs := keySpecs()
	for i := range specs {
		specs[i].Type += "-HSM"
	}
	for _, bits := range []int{128, 192, 256} {
		specs = append(specs, localvault.KeySpec{Name: fmt.Sprint("oct", bits), Type: "oct-HSM", Size: bits})
	}
	return specs
}

// deed is one operation in one algorithm that asks the vault.
type deed struct {
	operation schema.Operation
	algorithm schema.Algorithm
}

// deeds lists all of them.
func deeds() []deed {
	var all []deed
	for _, operation := range schema.Operations() {
		for _, algorithm := range operation.Algorithms() {
			local := operation == schema.Verify || operation == schema.Encrypt || operation == schema.WrapKey
			if !local || algorithm.Symmetric() {
				all = append(all, deed{operation, algorithm})
			}
		}
	}
	return all
}

func (d deed) ref(vault string) signer.Ref {
	ref := refFor(d.algorithm)
	ref.Vault = vault
	if d.algorithm.Family() == schema.HMAC {
		ref.Name = "oct256"
	} else if d.algorithm.Symmetric() {
		ref.Name = "oct" + string(d.algorithm)[1:4]
	}
	return ref
}

const plaintext = "marker: 32 bytes of a plain text"

// prepare makes what the deed needs, and returns the deed, which reports
// whether nothing came back.
func (d deed) prepare(t *testing.T, c *Client, key signer.Key) func() (empty bool, err error) {
	t.Helper()
	digest := make([]byte, 32)
	if d.algorithm.Hash() != 0 {
		digest = digestOf(d.algorithm, plaintext)
	}
	plain := signer.Plain{Text: []byte(plaintext)}
	if d.algorithm.Family() == schema.AESCBC {
		plain.IV = make([]byte, 16)
	}
	switch d.operation {
	case schema.Sign:
		return func() (bool, error) {
			sig, err := c.Sign(t.Context(), key, d.algorithm, digest)
			return sig == nil, err
		}
	case schema.Verify:
		return func() (bool, error) {
			valid, err := c.Verify(t.Context(), key, d.algorithm, digest, digest)
			return !valid, err
		}
	case schema.Encrypt:
		return func() (bool, error) {
			sealed, err := c.Encrypt(t.Context(), key, d.algorithm, plain)
			return sealed.Ciphertext == nil, err
		}
	case schema.WrapKey:
		return func() (bool, error) {
			wrapped, err := c.Wrap(t.Context(), key, d.algorithm, plain.Text)
			return wrapped == nil, err
		}
	case schema.Decrypt:
		sealed, err := c.Encrypt(t.Context(), key, d.algorithm, plain)
		if err != nil {
			t.Fatal(err)
		}
		return func() (bool, error) {
			secret, err := c.Decrypt(t.Context(), key, d.algorithm, sealed)
			return secret == nil, err
		}
	}
	wrapped, err := c.Wrap(t.Context(), key, d.algorithm, plain.Text)
	if err != nil {
		t.Fatal(err)
	}
	return func() (bool, error) {
		secret, err := c.Unwrap(t.Context(), key, d.algorithm, wrapped)
		return secret == nil, err
	}
}

// lies lists what a vault can get wrong in an answer to the deed.
func (d deed) lies(hsm bool) map[string]localvault.Faults {
	lies := map[string]localvault.Faults{}
	if d.operation == schema.Verify {
		return lies // the answer is one bit, and names nothing
	}
	lies["another version"] = localvault.Faults{WrongVersion: 1}
	if hsm {
		lies["another algorithm"] = localvault.Faults{WrongAlgorithm: 1}
	}
	if d.operation == schema.Sign {
		lies["a wrong signature"] = localvault.Faults{WrongSignature: 1}
	}
	if d.operation == schema.Encrypt {
		lies["a short iv"] = localvault.Faults{ShortIV: 1}
		if d.algorithm.Family() == schema.AESGCM {
			lies["a short tag"] = localvault.Faults{ShortTag: 1}
		}
	}
	return lies
}

// TestEveryLieIsCaught, for each operation and algorithm that asks a vault or
// a Managed HSM, before and after the key is rotated in mid-run: one call, one
// alarm, no result, and all is well again afterwards.
func TestEveryLieIsCaught(t *testing.T) {
	t.Parallel()
	for vault, hsm := range map[string]bool{vaultURL: false, hsmURL: true} {
		server := openVault(t, localvault.Config{Keys: hsmSpecs(), ManagedHSM: hsm})
		hands := sdk(t, vault, token{}, server.RoundTripper())
		var alarms bytes.Buffer
		c := clientOf(t, server.RoundTripper(), func(config *Config) { config.Log = slog.New(slog.NewTextHandler(&alarms, nil)) })
		lied, rotated := 0, map[string]bool{}
		for _, d := range deeds() {
			key := resolve(t, c, d.ref(vault))
			do := d.prepare(t, c, key)
			for round := range 2 {
				for name, faults := range d.lies(hsm) {
					what := fmt.Sprintf("%s: %s %s, %s, round %d", vault, d.operation, d.algorithm, name, round)
					alarms.Reset()
					server.SetFaults(faults)
					empty, err := do()
					wantCode(t, what, err, schema.CodeIntegrity)
					if text := alarms.String(); !empty || server.Faults() != (localvault.Faults{}) || strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, key.KID) || strings.Contains(text, "marker") {
						t.Errorf("%s: empty %t, faults left %+v, the log reads %q", what, empty, server.Faults(), text)
					}
					lied++
				}
				if _, err := do(); err != nil {
					t.Errorf("%s %s after the lies: %v", d.operation, d.algorithm, err)
				}
				if name := d.ref(vault).Name; round == 0 && !rotated[name] {
					rotated[name] = true
					rotate(t, hands, name)
				}
			}
		}
		if want := map[bool]int{false: 136, true: 222}[hsm]; lied != want {
			t.Errorf("%s told %d lies, want %d", vault, lied, want)
		}
	}
}

// rotate makes another version of a key of the same kind.
func rotate(t *testing.T, hands *azkeys.Client, name string) {
	t.Helper()
	old, err := hands.GetKey(t.Context(), name, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	params := azkeys.CreateKeyParameters{Kty: old.Key.Kty, Curve: old.Key.Crv}
	var bits int32
	if _, err := fmt.Sscanf(name, "oct%d", &bits); err == nil {
		params.KeySize = &bits
	}
	if _, err := hands.CreateKey(t.Context(), name, params, nil); err != nil {
		t.Fatal(err)
	}
}

// TestUnlikelyAnswers has the forms that localvault does not make up.
func TestUnlikelyAnswers(t *testing.T) {
	t.Parallel()
	gcm, pad, kw := schema.A128GCM, schema.A128CBCPAD, schema.A128KW
	plain := signer.Plain{Text: []byte("five!"), AAD: []byte("aad")}
	iv, tag := make([]byte, 12), make([]byte, 16)
	for name, got := range map[string]result{
		"short ciphertext": {Result: make([]byte, 4), IV: iv, AuthenticationTag: tag},
		"long ciphertext":  {Result: make([]byte, 6), IV: iv, AuthenticationTag: tag},
		"no iv":            {Result: make([]byte, 5), AuthenticationTag: tag},
		"no tag":           {Result: make([]byte, 5), IV: iv},
		"other aad":        {Result: make([]byte, 5), IV: iv, AuthenticationTag: tag, AdditionalAuthenticatedData: []byte("AAD")},
	} {
		if sealedRight(gcm, plain, got) == nil {
			t.Errorf("%s passes", name)
		}
	}
	if err := sealedRight(gcm, plain, result{Result: make([]byte, 5), IV: iv, AuthenticationTag: tag}); err != nil {
		t.Error(err)
	}
	blocks := signer.Plain{Text: make([]byte, 16), IV: make([]byte, 16)}
	if err := sealedRight(pad, blocks, result{Result: make([]byte, 32)}); err != nil {
		t.Errorf("an iv that is not repeated: %v", err)
	}
	if sealedRight(pad, blocks, result{Result: make([]byte, 16)}) == nil || sealedRight(pad, blocks, result{Result: make([]byte, 32), IV: tag[:15]}) == nil {
		t.Error("a short ciphertext or iv passes")
	}
	_, server := privateKey(t, localvault.KeySpec{Type: "RSA"})
	rsa := resolve(t, clientOf(t, server.RoundTripper(), nil), signer.Ref{Vault: vaultURL, Name: "invoices"})
	if openedRight(use{key: rsa, algorithm: schema.RSAOAEP256}, 256, nil) == nil {
		t.Error("an answer without a value passes for an empty plaintext")
	}
	for _, test := range []struct {
		algorithm        schema.Algorithm
		sealed           int
		least, most, far int
	}{{gcm, 5, 5, 5, 6}, {pad, 32, 16, 31, 32}, {kw, 24, 16, 16, 24}, {schema.RSAOAEP256, 256, 0, 190, 191}} {
		u := use{key: rsa, algorithm: test.algorithm}
		if openedRight(u, test.sealed, make([]byte, test.least)) != nil || openedRight(u, test.sealed, make([]byte, test.most)) != nil {
			t.Errorf("%s: a good length is refused", test.algorithm)
		}
		if openedRight(u, test.sealed, make([]byte, test.far)) == nil || test.least > 0 && openedRight(u, test.sealed, make([]byte, test.least-1)) == nil {
			t.Errorf("%s: a bad length passes", test.algorithm)
		}
	}
}

// TestEveryDeedOutlivesFaults that pass, one after the other.
func TestEveryDeedOutlivesFaults(t *testing.T) {
	t.Parallel()
	server := openVault(t, localvault.Config{Keys: hsmSpecs()})
	for _, d := range deeds() {
		synctest.Test(t, func(t *testing.T) {
			c := clientOf(t, server.RoundTripper(), nil)
			do := d.prepare(t, c, resolve(t, c, d.ref(vaultURL)))
			server.SetFaults(localvault.Faults{DropRequest: 1, DropAnswer: 1, Expire: 1, Throttle: 1, Fail: 1})
			_, err := do()
			if left := server.Faults(); err != nil || left != (localvault.Faults{}) {
				t.Errorf("%s %s: %v; faults left %+v", d.operation, d.algorithm, err, left)
			}
		})
	}
}
