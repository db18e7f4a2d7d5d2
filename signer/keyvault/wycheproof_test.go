package keyvault

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// hexBytes is written in hexadecimal digits.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

type decryptGroup struct {
	PrivateKey struct{ Modulus, PublicExponent, PrivateExponent, Prime1, Prime2, Exponent1, Exponent2, Coefficient hexBytes }
	KeySize    int
	Tests      []decryptVector
}

type decryptVector struct {
	TcID                              int `json:"tcId"`
	Comment, Result                   string
	Key, IV, AAD, Msg, CT, Tag, Label hexBytes
}

// cipherFiles says how each file is to be read. A file with another mask hash
// than JOSE's holds nothing that may decrypt.
var cipherFiles = []struct {
	name         string
	algorithm    schema.Algorithm // "": AES, by the size of the key
	suffix       string           // of an AES algorithm
	noneValid    bool
	valid, tests int
}{
	{name: "rsa_oaep_2048_sha1_mgf1sha1", algorithm: schema.RSAOAEP, valid: 10, tests: 36},
	{name: "rsa_oaep_2048_sha256_mgf1sha256", algorithm: schema.RSAOAEP256, valid: 10, tests: 37},
	{name: "rsa_oaep_3072_sha256_mgf1sha256", algorithm: schema.RSAOAEP256, valid: 10, tests: 37},
	{name: "rsa_oaep_4096_sha256_mgf1sha256", algorithm: schema.RSAOAEP256, valid: 10, tests: 37},
	{name: "rsa_oaep_misc_sha1", algorithm: schema.RSAOAEP, valid: 9, tests: 9},
	{name: "rsa_oaep_misc_sha256", algorithm: schema.RSAOAEP256, valid: 9, tests: 9},
	{name: "rsa_oaep_2048_sha256_mgf1sha1", algorithm: schema.RSAOAEP256, noneValid: true, tests: 20},
	{name: "rsa_pkcs1_2048", algorithm: schema.RSA15, valid: 22, tests: 47},
	{name: "rsa_pkcs1_3072", algorithm: schema.RSA15, valid: 10, tests: 35},
	{name: "rsa_pkcs1_4096", algorithm: schema.RSA15, valid: 10, tests: 35},
	{name: "aes_gcm", suffix: "GCM", valid: 112, tests: 197},
	{name: "aes_cbc_pkcs5", suffix: "CBCPAD", valid: 72, tests: 216},
	{name: "aes_wrap", suffix: "KW", valid: 36, tests: 165},
}

// TestDecryptAgreesWithWycheproof imports each key into a vault and decrypts,
// or unwraps, through the client: what is valid gives the plaintext, and what
// is not gives an error.
func TestDecryptAgreesWithWycheproof(t *testing.T) {
	t.Parallel()
	for _, file := range cipherFiles {
		t.Run(file.name, func(t *testing.T) {
			t.Parallel()
			server := openVault(t, localvault.Config{})
			bench := decryptBench{t, clientOf(t, server.RoundTripper(), nil), sdk(t, vaultURL, token{}, server.RoundTripper())}
			valid, tests := 0, 0
			for _, group := range readGroups(t, file.name) {
				var key signer.Key
				if file.algorithm != "" {
					key = bench.importRSA(group)
				}
				for _, v := range group.Tests {
					algorithm := file.algorithm
					if algorithm == "" {
						key, algorithm = bench.importOct(v.Key), schema.Algorithm("A"+map[int]string{16: "128", 24: "192", 32: "256"}[len(v.Key)]+file.suffix)
					}
					tests++
					if bench.run(key, algorithm, v, v.Result == "valid" && len(v.Label) == 0 && !file.noneValid) {
						valid++
					}
				}
			}
			if tests != file.tests || valid != file.valid {
				t.Errorf("ran %d tests, %d of them valid; want %d and %d", tests, valid, file.tests, file.valid)
			}
		})
	}
}

// decryptBench is a client, and the hands that import keys.
type decryptBench struct {
	t      *testing.T
	client *Client
	hands  *azkeys.Client
}

// run reports whether the vector decrypted.
func (b decryptBench) run(key signer.Key, algorithm schema.Algorithm, v decryptVector, valid bool) bool {
	b.t.Helper()
	var got schema.Secret
	var err error
	if algorithm.Family() == schema.AESKW {
		got, err = b.client.Unwrap(b.t.Context(), key, algorithm, v.CT)
	} else {
		got, err = b.client.Decrypt(b.t.Context(), key, algorithm, signer.Sealed{Ciphertext: v.CT, IV: v.IV, AAD: v.AAD, Tag: v.Tag})
	}
	switch {
	case v.Result == "acceptable":
	case valid && len(v.CT) == 0: // no request can carry an empty value
		wantCode(b.t, v.Comment, err, schema.CodeAlgorithmNotFitting)
	case valid && (err != nil || got == nil || !bytes.Equal(got, v.Msg)):
		b.t.Errorf("test %d (%s): %x, %v", v.TcID, v.Comment, []byte(got), err)
	case !valid && (err == nil || got != nil):
		b.t.Errorf("test %d (%s): %x, %v; want an error", v.TcID, v.Comment, []byte(got), err)
	case !valid && signer.AsError(err).Code != schema.CodeVaultRejected && signer.AsError(err).Code != schema.CodeAlgorithmNotFitting:
		b.t.Errorf("test %d (%s): %v", v.TcID, v.Comment, err)
	}
	return err == nil
}

func (b decryptBench) importRSA(g decryptGroup) signer.Key {
	p := g.PrivateKey
	return b.importKey(&azkeys.JSONWebKey{
		Kty: point(azkeys.KeyTypeRSA), N: bytes.TrimLeft(p.Modulus, "\x00"), E: p.PublicExponent, D: p.PrivateExponent,
		P: p.Prime1, Q: p.Prime2, DP: p.Exponent1, DQ: p.Exponent2, QI: p.Coefficient,
	})
}

func (b decryptBench) importOct(k []byte) signer.Key {
	return b.importKey(&azkeys.JSONWebKey{Kty: point(azkeys.KeyTypeOctHSM), K: k})
}

func (b decryptBench) importKey(jwk *azkeys.JSONWebKey) signer.Key {
	b.t.Helper()
	made, err := b.hands.ImportKey(b.t.Context(), "imported", azkeys.ImportKeyParameters{Key: jwk}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return resolve(b.t, b.client, signer.Ref{Vault: vaultURL, Name: "imported", Version: made.Key.KID.Version()})
}

func readGroups(t *testing.T, name string) []decryptGroup {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", "wycheproof", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ TestGroups []decryptGroup }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.TestGroups
}
