package keyvault

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// privateKey makes a key in a fresh vault.
func privateKey(t testing.TB, spec localvault.KeySpec) (*PrivateKey, *localvault.Server) {
	t.Helper()
	spec.Name = "invoices"
	server := openVault(t, localvault.Config{Keys: []localvault.KeySpec{spec}})
	key, err := clientOf(t, server.RoundTripper(), nil).PrivateKey(t.Context(), signer.Ref{Vault: vaultURL, Name: spec.Name})
	if err != nil {
		t.Fatal(err)
	}
	return key, server
}

// standardKeys lists the kinds of key that crypto/x509 knows.
func standardKeys() map[string]localvault.KeySpec {
	keys := map[string]localvault.KeySpec{}
	for _, bits := range []int{2048, 3072, 4096} {
		keys[fmt.Sprint("RSA-", bits)] = localvault.KeySpec{Type: "RSA", Size: bits}
	}
	for _, curve := range []string{"P-256", "P-384", "P-521"} {
		keys[curve] = localvault.KeySpec{Type: "EC", Curve: curve}
	}
	return keys
}

// standardVault has the standard keys by their names. Large ones are slow to
// make, and tests that only sign can share them.
var standardVault = sync.OnceValues(func() (*localvault.Server, error) {
	var config localvault.Config
	for name, spec := range standardKeys() {
		spec.Name = name
		config.Keys = append(config.Keys, spec)
	}
	return localvault.New(config)
})

func standardKey(t testing.TB, name string) *PrivateKey {
	t.Helper()
	server, err := standardVault()
	if err != nil {
		t.Fatal(err)
	}
	key, err := clientOf(t, server.RoundTripper(), nil).PrivateKey(t.Context(), signer.Ref{Vault: vaultURL, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func hashes() map[crypto.Hash][]byte {
	d256, d384, d512 := sha256.Sum256([]byte("hello")), sha512.Sum384([]byte("hello")), sha512.Sum512([]byte("hello"))
	return map[crypto.Hash][]byte{crypto.SHA256: d256[:], crypto.SHA384: d384[:], crypto.SHA512: d512[:]}
}

// TestPrivateKeySigns lets the standard library verify every hash with every
// key, by digest and by message.
func TestPrivateKeySigns(t *testing.T) {
	t.Parallel()
	for name := range standardKeys() {
		key := standardKey(t, name)
		for hash, digest := range hashes() {
			sig, err := key.Sign(rand.Reader, digest, hash)
			if err != nil || !standardVerify(key.Public(), hash, digest, sig) {
				t.Errorf("%s, %s: %v", name, hash, err)
			}
			sig, err = crypto.SignMessage(key, rand.Reader, []byte("hello"), hash)
			if err != nil || !standardVerify(key.Public(), hash, digest, sig) {
				t.Errorf("%s, message with %s: %v", name, hash, err)
			}
			sig, err = key.SignContext(t.Context(), digest, nil)
			if err != nil || !standardVerify(key.Public(), hash, digest, sig) {
				t.Errorf("%s, %s by its length: %v", name, hash, err)
			}
		}
		sig, err := key.SignMessage(nil, []byte("hello"), nil)
		if err != nil || !standardVerify(key.Public(), key.hash(), hashes()[key.hash()], sig) {
			t.Errorf("%s, message without options: %v", name, err)
		}
	}
}

// decrypter makes an RSA key in a fresh vault.
func decrypter(t testing.TB) (Decrypter, *localvault.Server) {
	t.Helper()
	key, server := privateKey(t, localvault.KeySpec{Type: "RSA"})
	d, err := key.Decrypter()
	if err != nil {
		t.Fatal(err)
	}
	return d, server
}

func standardVerify(public crypto.PublicKey, hash crypto.Hash, digest, sig []byte) bool {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, hash, digest, sig) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, digest, sig)
	}
	return false
}

func TestPrivateKeySignsWithPSS(t *testing.T) {
	t.Parallel()
	key, _ := privateKey(t, localvault.KeySpec{Type: "RSA"})
	for hash, digest := range hashes() {
		for _, salt := range []int{rsa.PSSSaltLengthAuto, rsa.PSSSaltLengthEqualsHash, hash.Size()} {
			for _, named := range []crypto.Hash{hash, 0} {
				sig, err := key.Sign(nil, digest, &rsa.PSSOptions{SaltLength: salt, Hash: named})
				if err == nil {
					err = rsa.VerifyPSS(key.Public().(*rsa.PublicKey), hash, digest, sig, &rsa.PSSOptions{SaltLength: hash.Size()})
				}
				if err != nil {
					t.Errorf("%s, salt %d: %v", hash, salt, err)
				}
			}
		}
	}
}

func TestPrivateKeySignsOnK1(t *testing.T) {
	t.Parallel()
	key, _ := privateKey(t, localvault.KeySpec{Type: "EC", Curve: "P-256K"})
	for hash, digest := range hashes() {
		der, err := key.Sign(nil, digest, hash)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := k1ecdsa.ParseDERSignature(der)
		if err != nil || !sig.Verify(digest[:32], key.Public().(*secp256k1.PublicKey)) {
			t.Errorf("%s: %x, %v", hash, der, err)
		}
	}
}

// TestPrivateKeyRefuses what the vault does not offer, with the reason and
// without a call.
func TestPrivateKeyRefuses(t *testing.T) {
	t.Parallel()
	digest := someDigest()
	ec, ecVault := privateKey(t, localvault.KeySpec{Type: "EC"})
	rs, rsVault := privateKey(t, localvault.KeySpec{Type: "RSA"})
	tests := map[string]struct {
		key    *PrivateKey
		digest []byte
		opts   crypto.SignerOpts
		says   string
	}{
		"SHA-1":                {rs, digest[:20], crypto.SHA1, "not of SHA-1"},
		"no hash":              {rs, digest, crypto.Hash(0), "and not of"},
		"SHA-512/256":          {ec, digest, crypto.SHA512_256, "not of SHA-512/256"},
		"other length":         {ec, digest, crypto.SHA384, "has 48 bytes, and this one has 32"},
		"no known length":      {ec, digest[:31], nil, "32, 48 or 64 bytes"},
		"longest salt":         {rs, digest, &rsa.PSSOptions{SaltLength: 222, Hash: crypto.SHA256}, "as long as the hash, 32 bytes, and not of 222"},
		"salt of SHA-1":        {rs, digest, &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA256}, "not of 20"},
		"PSS of a nil pointer": {rs, digest, (*rsa.PSSOptions)(nil), "nil pointer"},
		"PSS with an EC key":   {ec, digest, &rsa.PSSOptions{Hash: crypto.SHA256}, "needs an RSA key"},
	}
	before := ecVault.Stats().Operations["sign"] + rsVault.Stats().Operations["sign"]
	for name, test := range tests {
		sig, err := test.key.Sign(rand.Reader, test.digest, test.opts)
		wantCode(t, name, err, schema.CodeAlgorithmNotFitting)
		if sig != nil || !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), test.key.KID) {
			t.Errorf("%s: %x, %v; want %q", name, sig, err, test.says)
		}
	}
	if _, err := rs.SignMessage(nil, nil, crypto.MD5); err == nil || !strings.Contains(err.Error(), "not with MD5") {
		t.Errorf("a message with MD5: %v", err)
	}
	if after := ecVault.Stats().Operations["sign"] + rsVault.Stats().Operations["sign"]; after != before {
		t.Errorf("%d signatures were made", after-before)
	}
}

func TestPrivateKeyOfASymmetricKey(t *testing.T) {
	t.Parallel()
	server := openVault(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "oct", Type: "oct-HSM"}}})
	key, err := clientOf(t, server.RoundTripper(), nil).PrivateKey(t.Context(), signer.Ref{Vault: vaultURL, Name: "oct"})
	wantCode(t, "oct", err, schema.CodeAlgorithmNotFitting)
	if key != nil {
		t.Errorf("PrivateKey = %+v", key)
	}
}

// TestPrivateKeyStaysWithItsVersion through a rotation, and follows what
// becomes of that version.
func TestPrivateKeyStaysWithItsVersion(t *testing.T) {
	t.Parallel()
	key, server := privateKey(t, localvault.KeySpec{Type: "EC"})
	h := harness(t, vaultURL, token{}, server.RoundTripper(), Retry{})
	kid := key.KID
	create(t, sdk(t, vaultURL, token{}, server.RoundTripper()), vaultURL, ecSpec("invoices"))
	sig, err := key.Sign(nil, someDigest(), crypto.SHA256)
	if err != nil || !standardVerify(key.Public(), crypto.SHA256, someDigest(), sig) || key.KID != kid {
		t.Errorf("after a rotation: %v", err)
	}
	h.Disable(t, key.ref)
	_, err = key.Sign(nil, someDigest(), crypto.SHA256)
	wantCode(t, "disabled", err, schema.CodeKeyUnusable)
}

// TestPrivateKeyTimeout: a silent vault ends the methods without a context at
// Timeout, and those with one at its deadline.
func TestPrivateKeyTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, server := decrypter(t)
		server.SetFaults(localvault.Faults{Delay: time.Hour})
		for timeout, want := range map[time.Duration]time.Duration{0: time.Minute, 5 * time.Second: 5 * time.Second} {
			key.Timeout = timeout
			start := time.Now()
			_, err := key.Sign(nil, someDigest(), crypto.SHA256)
			wantCode(t, "Sign", err, schema.CodeUnavailable)
			_, err = key.Decrypt(nil, make([]byte, 256), nil)
			wantCode(t, "Decrypt", err, schema.CodeUnavailable)
			if took := time.Since(start); took > 2*want || took < want {
				t.Errorf("with Timeout %s the two took %s", timeout, took)
			}
		}
	})
}

// TestPrivateKeyDecrypts what crypto/rsa encrypts.
func TestPrivateKeyDecrypts(t *testing.T) {
	t.Parallel()
	key, _ := decrypter(t)
	public, text := key.Public().(*rsa.PublicKey), []byte("a key of 32 bytes, to be exact!!")
	for name, opts := range map[string]crypto.DecrypterOpts{
		"nil": nil, "PKCS #1": &rsa.PKCS1v15DecryptOptions{}, "nil PKCS #1": (*rsa.PKCS1v15DecryptOptions)(nil),
		"session key": &rsa.PKCS1v15DecryptOptions{SessionKeyLen: 32},
		"OAEP SHA-1":  &rsa.OAEPOptions{Hash: crypto.SHA1}, "OAEP SHA-256": &rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA256},
	} {
		var sealed []byte
		var err error
		switch oaep, isOAEP := opts.(*rsa.OAEPOptions); {
		case !isOAEP:
			sealed, err = rsa.EncryptPKCS1v15(rand.Reader, public, text)
		case oaep.Hash == crypto.SHA1:
			sealed, err = rsa.EncryptOAEP(sha1.New(), rand.Reader, public, text, nil)
		default:
			sealed, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, public, text, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		opened, err := key.Decrypt(rand.Reader, sealed, opts)
		if err != nil || !bytes.Equal(opened, text) {
			t.Errorf("%s: %d bytes, %v", name, len(opened), err)
		}
	}
}

// TestPrivateKeySessionKeys: whatever is wrong with a session key, the answer
// looks like a good one.
func TestPrivateKeySessionKeys(t *testing.T) {
	t.Parallel()
	key, server := decrypter(t)
	sealed, err := rsa.EncryptPKCS1v15(rand.Reader, key.Public().(*rsa.PublicKey), []byte("sixteen bytes it"))
	if err != nil {
		t.Fatal(err)
	}
	opts := &rsa.PKCS1v15DecryptOptions{SessionKeyLen: 32}
	spoiled := bytes.Clone(sealed)
	spoiled[100] ^= 1
	for name, ciphertext := range map[string][]byte{"another length": sealed, "spoiled": spoiled} {
		one, err1 := key.Decrypt(nil, ciphertext, opts)
		two, err2 := key.Decrypt(nil, ciphertext, opts)
		if err1 != nil || err2 != nil || len(one) != 32 || len(two) != 32 || bytes.Equal(one, two) {
			t.Errorf("%s: %x, %v and %x, %v; want 32 random bytes", name, one, err1, two, err2)
		}
	}
	server.SetFaults(localvault.Faults{Fail: 1 << 30})
	key.Timeout = time.Millisecond
	if got, err := key.Decrypt(nil, sealed, opts); got != nil || err == nil {
		t.Errorf("without a vault: %x, %v", got, err)
	}
}

func TestPrivateKeyRefusesToDecrypt(t *testing.T) {
	t.Parallel()
	key, server := decrypter(t)
	ec, _ := privateKey(t, localvault.KeySpec{Type: "EC"})
	for says, opts := range map[string]crypto.DecrypterOpts{
		"no OAEP label": &rsa.OAEPOptions{Hash: crypto.SHA256, Label: []byte("l")},
		"one hash":      &rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA1},
		"SHA-512":       &rsa.OAEPOptions{Hash: crypto.SHA512},
		"nil pointer":   (*rsa.OAEPOptions)(nil),
		"type int":      7,
	} {
		got, err := key.Decrypt(nil, make([]byte, 256), opts)
		wantCode(t, says, err, schema.CodeAlgorithmNotFitting)
		if got != nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %x, %v", says, got, err)
		}
	}
	_, err := ec.Decrypter()
	wantCode(t, "EC", err, schema.CodeAlgorithmNotFitting)
	_, err = key.Decrypt(nil, make([]byte, 256), nil)
	wantCode(t, "spoiled", err, schema.CodeVaultRejected)
	if n := server.Stats().Operations["decrypt"]; n > 1 {
		t.Errorf("%d calls for what cannot be", n)
	}
}
