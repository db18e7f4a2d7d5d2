package localvault_test

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

// openssl runs it on some input and returns what it writes. The test is skipped
// where there is none.
func openssl(t *testing.T, input []byte, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdin = bytes.NewReader(input)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, &complaint)
	}
	return output
}

// A third implementation opens what the vault sealed, and the other way round.
func TestOpenSSLAgreesOnRSA(t *testing.T) {
	t.Parallel()
	jwk := rsaJWK(t, 2048)
	der, err := x509.MarshalPKCS8PrivateKey(privateRSA(jwk))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := client(t, start(t, localvault.Config{}))
	if _, err := c.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: jwk}, nil); err != nil {
		t.Fatal(err)
	}
	plain := []byte("thirty-two bytes of a key, maybe")
	for alg, options := range map[string][]string{
		"RSA1_5":       {"-pkeyopt", "rsa_padding_mode:pkcs1"},
		"RSA-OAEP":     {"-pkeyopt", "rsa_padding_mode:oaep"},
		"RSA-OAEP-256": {"-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"},
	} {
		t.Run(alg, func(t *testing.T) {
			sealed := openssl(t, plain, append([]string{"pkeyutl", "-encrypt", "-inkey", file}, options...)...)
			if got := cipherCall("unwrapKey").must(t, c, parameters(alg, sealed)); !bytes.Equal(got.Result, plain) {
				t.Errorf("the vault opens %q", got.Result)
			}
			sealed = cipherCall("wrapKey").must(t, c, parameters(alg, plain)).Result
			if got := openssl(t, sealed, append([]string{"pkeyutl", "-decrypt", "-inkey", file}, options...)...); !bytes.Equal(got, plain) {
				t.Errorf("openssl opens %q", got)
			}
		})
	}
}

func TestOpenSSLAgreesOnAES(t *testing.T) {
	t.Parallel()
	key, iv := bytes.Repeat([]byte{0x42}, 24), []byte("0123456789ABCDEF")
	c := secretKey(t, key)
	for n := 1; n < 34; n += 4 {
		p := parameters("A192CBCPAD", bytes.Repeat([]byte{byte(n)}, n))
		p.IV = iv
		want := openssl(t, p.Value, "enc", "-aes-192-cbc", "-K", hex.EncodeToString(key), "-iv", hex.EncodeToString(iv))
		if got := cipherCall("encrypt").must(t, c, p); !bytes.Equal(got.Result, want) {
			t.Errorf("%d bytes: got %x, want %x", n, got.Result, want)
		}
	}
}
