package signer_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// TestOpenSSLAgrees asks a verifier that shares no code with this module: the
// public key as PEM and the signature in ASN.1 form must be what it expects.
func TestOpenSSLAgrees(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	for _, algorithm := range schema.PublicKeySignatures() {
		t.Run(string(algorithm), func(t *testing.T) {
			t.Parallel()
			key, digest := keyFor(t, algorithm), digestOf(algorithm, "hello")
			sig, err := signer.DER(algorithm, key.sign(algorithm, digest))
			if err != nil {
				t.Fatal(err)
			}
			text, err := signer.MarshalPEM(key.public)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			write(t, dir, "key.pem", text)
			write(t, dir, "digest", digest)
			write(t, dir, "sig", sig)
			args := []string{"pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-in", "digest", "-sigfile", "sig",
				"-pkeyopt", "digest:" + strings.ToLower(strings.ReplaceAll(algorithm.Hash().String(), "-", ""))}
			if algorithm.Family() == schema.PSS {
				args = append(args, "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest")
			}
			if out, err := run(t, dir, openssl, args...); err != nil {
				t.Errorf("openssl %s: %v: %s", strings.Join(args, " "), err, out)
			}
			write(t, dir, "digest", digestOf(algorithm, "hullo"))
			if out, err := run(t, dir, openssl, args...); err == nil {
				t.Errorf("openssl took another digest: %s", out)
			}
		})
	}
}

// TestOpenSSLKeysAndSignatures goes the other way: what openssl makes on
// secp256k1, which the standard library cannot check, is read here.
func TestOpenSSLKeysAndSignatures(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	curves := map[schema.Algorithm]string{schema.ES256: "prime256v1", schema.ES384: "secp384r1", schema.ES512: "secp521r1", schema.ES256K: "secp256k1"}
	for algorithm, curve := range curves {
		dir := t.TempDir()
		digest := digestOf(algorithm, "hello")
		write(t, dir, "digest", digest)
		for _, args := range [][]string{
			{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + curve, "-out", "private.pem"},
			{"pkey", "-in", "private.pem", "-pubout", "-out", "public.pem"},
			{"pkeyutl", "-sign", "-inkey", "private.pem", "-in", "digest", "-out", "sig"},
		} {
			if out, err := run(t, dir, openssl, args...); err != nil {
				t.Fatalf("openssl %s: %v: %s", strings.Join(args, " "), err, out)
			}
		}
		public, err := signer.ParsePEM(read(t, dir, "public.pem"))
		if err != nil {
			t.Fatal(err)
		}
		sig, err := signer.JOSE(algorithm, read(t, dir, "sig"))
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.Verify(public, algorithm, digest, sig); err != nil {
			t.Error(err)
		}
	}
}

func run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
