package signer_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

type vectorFile struct {
	TestGroups []struct {
		PublicKeyPEM string `json:"publicKeyPem"`
		Tests        []vector
	}
}

type vector struct {
	TcID                      int `json:"tcId"`
	Comment, Msg, Sig, Result string
}

// vectorFiles says how each file in testdata/wycheproof is to be read. Files
// of another salt or mask hash than JOSE's hold nothing that may verify.
var vectorFiles = []struct {
	name      string
	algorithm schema.Algorithm
	der       bool
	noneValid bool
	tests     int
}{
	{name: "ecdsa_secp256r1_sha256_p1363", algorithm: schema.ES256, tests: 262},
	{name: "ecdsa_secp384r1_sha384_p1363", algorithm: schema.ES384, tests: 280},
	{name: "ecdsa_secp521r1_sha512_p1363", algorithm: schema.ES512, tests: 318},
	{name: "ecdsa_secp256k1_sha256_p1363", algorithm: schema.ES256K, tests: 252},
	{name: "ecdsa_secp256r1_sha256", algorithm: schema.ES256, der: true, tests: 349},
	{name: "ecdsa_secp384r1_sha384", algorithm: schema.ES384, der: true, tests: 381},
	{name: "ecdsa_secp521r1_sha512", algorithm: schema.ES512, der: true, tests: 418},
	{name: "ecdsa_secp256k1_sha256", algorithm: schema.ES256K, der: true, tests: 349},
	{name: "rsa_signature_2048_sha256", algorithm: schema.RS256, tests: 259},
	{name: "rsa_signature_3072_sha384", algorithm: schema.RS384, tests: 60},
	{name: "rsa_signature_4096_sha512", algorithm: schema.RS512, tests: 60},
	{name: "rsa_pss_2048_sha256_mgf1_32", algorithm: schema.PS256, tests: 108},
	{name: "rsa_pss_2048_sha384_mgf1_48", algorithm: schema.PS384, tests: 141},
	{name: "rsa_pss_4096_sha512_mgf1_64", algorithm: schema.PS512, tests: 50},
	{name: "rsa_pss_2048_sha256_mgf1_0", algorithm: schema.PS256, noneValid: true, tests: 50},
	{name: "rsa_pss_2048_sha256_mgf1sha1_20", algorithm: schema.PS256, noneValid: true, tests: 50},
}

func TestVerifyAgreesWithWycheproof(t *testing.T) {
	t.Parallel()
	for _, file := range vectorFiles {
		t.Run(file.name, func(t *testing.T) {
			t.Parallel()
			tests := 0
			for _, group := range readVectors(t, file.name).TestGroups {
				public, err := signer.ParsePEM([]byte(group.PublicKeyPEM))
				if err != nil {
					t.Fatalf("ParsePEM: %v", err)
				}
				again, err := signer.MarshalPEM(public)
				if err != nil || string(again) != group.PublicKeyPEM {
					t.Fatalf("MarshalPEM = %s, %v; want %s", again, err, group.PublicKeyPEM)
				}
				for _, v := range group.Tests {
					tests++
					got := verifyVector(t, v, func(digest, sig []byte) error {
						if file.der {
							if sig, err = signer.JOSE(file.algorithm, sig); err != nil {
								return err
							}
						}
						return signer.Verify(public, file.algorithm, digest, sig)
					}, file.algorithm)
					want := v.Result == "valid" && !file.noneValid
					if (got == nil) != want && v.Result != "acceptable" {
						t.Errorf("test %d (%s, %s): %v", v.TcID, v.Comment, v.Result, got)
					}
				}
			}
			if tests != file.tests {
				t.Errorf("ran %d tests, want %d", tests, file.tests)
			}
		})
	}
}

func verifyVector(t *testing.T, v vector, verify func(digest, sig []byte) error, algorithm schema.Algorithm) error {
	t.Helper()
	msg, err := hex.DecodeString(v.Msg)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := hex.DecodeString(v.Sig)
	if err != nil {
		t.Fatal(err)
	}
	hash := algorithm.Hash().New()
	hash.Write(msg)
	return verify(hash.Sum(nil), sig)
}

func readVectors(t *testing.T, name string) vectorFile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "wycheproof", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file
}
