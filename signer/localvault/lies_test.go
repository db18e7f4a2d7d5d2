package localvault_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

// Each lie is told once; the answer after it is right.
func TestCipherLies(t *testing.T) {
	t.Parallel()
	server, c := oneKey(t, localvault.KeySpec{Type: "oct-HSM"})
	plain := bytes.Repeat([]byte{7}, 32)
	seal := func(faults localvault.Faults) azkeys.KeyOperationResult {
		server.SetFaults(faults)
		return cipherCall("encrypt").must(t, c, parameters("A256GCM", plain))
	}
	open := func(r azkeys.KeyOperationResult) ([]byte, error) {
		p := azkeys.KeyOperationParameters{Algorithm: new(azkeys.EncryptionAlgorithmA256GCM), Value: r.Result, IV: r.IV, AuthenticationTag: r.AuthenticationTag}
		opened, err := cipherCall("decrypt").with(t, c, p)
		return opened.Result, err
	}
	cases := []struct {
		name    string
		faults  localvault.Faults
		iv, tag int
	}{
		{"value", localvault.Faults{WrongValue: 1}, 12, 16},
		{"iv", localvault.Faults{ShortIV: 1}, 11, 16},
		{"tag", localvault.Faults{ShortTag: 1}, 12, 15},
	}
	for _, tc := range cases {
		sealed := seal(tc.faults)
		if len(sealed.IV) != tc.iv || len(sealed.AuthenticationTag) != tc.tag {
			t.Errorf("%s: %+v", tc.name, sealed)
		}
		if opened, err := open(sealed); err == nil {
			t.Errorf("%s: opens to %x", tc.name, opened)
		}
		if opened, err := open(seal(server.Faults())); err != nil || !bytes.Equal(opened, plain) {
			t.Errorf("%s: afterwards %x, %v", tc.name, opened, err)
		}
	}
	sealed := seal(localvault.Faults{})
	server.SetFaults(localvault.Faults{WrongValue: 1})
	if opened, err := open(sealed); err != nil || bytes.Equal(opened, plain) || len(opened) != 32 {
		t.Errorf("decrypt with a lie: %x, %v", opened, err)
	}
}

func TestLieAboutVersion(t *testing.T) {
	t.Parallel()
	server, c := oneKey(t, localvault.KeySpec{Type: "RSA"})
	sealed := cipherCall("encrypt").must(t, c, parameters("RSA-OAEP", []byte{1}))
	for op, value := range map[cipherCall][]byte{"encrypt": {1}, "wrapKey": {1}, "decrypt": sealed.Result, "unwrapKey": sealed.Result} {
		server.SetFaults(localvault.Faults{WrongVersion: 1})
		for _, lie := range []bool{true, false} {
			got := op.must(t, c, parameters("RSA-OAEP", value)).KID
			if (got.Version() != sealed.KID.Version()) != lie {
				t.Errorf("%s names %s", op, *got)
			}
		}
	}
}

// A Managed HSM repeats the algorithm, or lies about it; a vault does neither.
func TestLieAboutAlgorithm(t *testing.T) {
	t.Parallel()
	const sign = `{"alg":"HS256","value":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`
	const encrypt = `{"alg":"A256GCM","value":"AAAA"}`
	for _, hsm := range []bool{false, true} {
		server := start(t, localvault.Config{ManagedHSM: hsm, Keys: []localvault.KeySpec{{Name: "k", Type: "oct-HSM"}}})
		for path, body := range map[string]string{"sign": sign, "encrypt": encrypt} {
			alg := strings.Split(body, `"`)[3]
			server.SetFaults(localvault.Faults{WrongAlgorithm: 1})
			for _, lie := range []bool{true, false} {
				_, _, answer := ask(t, server, "POST", "/keys/k/"+path+"?api-version=7.6", body)
				if got := strings.Contains(answer, `"alg":"`+alg+`"`); got != (hsm && !lie) {
					t.Errorf("HSM %v, lie %v: %s", hsm, lie, answer)
				}
				if got := strings.Contains(answer, `"alg":`); got != hsm {
					t.Errorf("HSM %v: %s", hsm, answer)
				}
			}
		}
	}
}

func TestLieOfHMAC(t *testing.T) {
	t.Parallel()
	server, c := oneKey(t, localvault.KeySpec{Type: "oct-HSM"})
	digest := make([]byte, 32)
	server.SetFaults(localvault.Faults{WrongSignature: 1})
	for _, want := range []bool{false, true} {
		signed, err := c.Sign(t.Context(), "k", "", azkeys.SignParameters{Algorithm: new(azkeys.SignatureAlgorithmHS512), Value: digest}, nil)
		if err != nil {
			t.Fatal(err)
		}
		verified, err := c.Verify(t.Context(), "k", "", azkeys.VerifyParameters{Algorithm: new(azkeys.SignatureAlgorithmHS512), Digest: digest, Signature: signed.Result}, nil)
		if err != nil || *verified.Value != want || len(signed.Result) != 64 {
			t.Errorf("%x: %v, %v, want %v", signed.Result, verified.Value, err, want)
		}
	}
}
