package keyvault

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// k1Forms writes a key on secp256k1 as openssl does.
func k1Forms(key *secp256k1.PrivateKey) (sec1, pkcs8 []byte) {
	point := key.PubKey().SerializeUncompressed()
	inner := ecPrivateKey{Version: 1, PrivateKey: key.Serialize(), PublicKey: asn1.BitString{Bytes: point, BitLength: 8 * len(point)}}
	bare := must(asn1.Marshal(inner))
	inner.Curve = oidK1()
	return must(asn1.Marshal(inner)), must(asn1.Marshal(struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		PrivateKey []byte
	}{0, pkix.AlgorithmIdentifier{Algorithm: oidEC(), Parameters: asn1.RawValue{FullBytes: must(asn1.Marshal(oidK1()))}}, bare}))
}

type form struct {
	name   string
	text   []byte
	public crypto.PublicKey
	kind   string
}

func forms(t testing.TB) []form {
	t.Helper()
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	k1 := must(secp256k1.GeneratePrivateKey())
	sec1, pkcs8 := k1Forms(k1)
	all := []form{
		{"RSA in PKCS 1", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), &rsaKey.PublicKey, "RSA key with 2048 bits"},
		{"RSA in PKCS 8", block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(rsaKey))), &rsaKey.PublicKey, "RSA key with 2048 bits"},
		{"RSA in DER", must(x509.MarshalPKCS8PrivateKey(rsaKey)), &rsaKey.PublicKey, "RSA key with 2048 bits"},
		{"secp256k1 in SEC 1", append(block("EC PARAMETERS", must(asn1.Marshal(oidK1()))), block("EC PRIVATE KEY", sec1)...), k1.PubKey(), "EC key on P-256K"},
		{"secp256k1 in PKCS 8", block("PRIVATE KEY", pkcs8), k1.PubKey(), "EC key on P-256K"},
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, name := must(ecdsa.GenerateKey(curve, rand.Reader)), curve.Params().Name
		all = append(all,
			form{name + " in SEC 1", block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(key))), &key.PublicKey, "EC key on " + name},
			form{name + " in PKCS 8", block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))), &key.PublicKey, "EC key on " + name})
	}
	return all
}

// TestImport puts each form in and signs with what the vault then has.
func TestImport(t *testing.T) {
	t.Parallel()
	v := keep(t, localvault.Config{})
	for i, f := range forms(t) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			m, err := ParsePrivateKey(f.text)
			if err != nil {
				t.Fatal(err)
			}
			if m.String() != f.kind || !equal(m.Public(), f.public) {
				t.Errorf("%s with another public half", m)
			}
			name := fmt.Sprintf("import-%d", i)
			got, err := v.Import(t.Context(), ImportSpec{Name: name, Material: m, HSM: i%2 == 1, Settings: Settings{Operations: []string{"sign", "verify"}}})
			if err != nil || !equal(got.Public, f.public) || strings.HasSuffix(got.Type, "-HSM") != (i%2 == 1) {
				t.Fatalf("Import = %+v, %v", got, err)
			}
			resolve(t, v.client, signer.Ref{Vault: vaultURL, Name: name})
		})
	}
}

// TestImportComparesWithWhatWasSent: a vault that shows another public key, or
// another type, is not believed.
func TestImportComparesWithWhatWasSent(t *testing.T) {
	t.Parallel()
	m := must(ParsePrivateKey(block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))))))
	synctest.Test(t, func(t *testing.T) {
		v := answering(t, newStub(t, nil).bundle())
		for _, hsm := range []bool{false, true} {
			got, err := v.Import(t.Context(), ImportSpec{Name: "invoices", Material: m, HSM: hsm})
			wantCode(t, "another key", err, schema.CodeIntegrity)
			if got.KID != "" {
				t.Errorf("a result beside an error: %+v", got)
			}
		}
	})
}

// TestMaterialIsDiscreet: no way of printing shows the private half.
func TestMaterialIsDiscreet(t *testing.T) {
	t.Parallel()
	raw := []byte("sixteen bytes!!!")
	m := must(SymmetricKey(raw))
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "m", m, "spec", ImportSpec{Material: m})
	text := log.String() + string(must(json.Marshal(m))) + fmt.Sprintf("%v %+v %#v %s %d %+v", m, m, m, m, m, ImportSpec{Material: m})
	for _, secret := range []string{string(raw), hex.EncodeToString(raw), base64url(raw), "115 105 120"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q shows the key", text)
		}
	}
	if !strings.Contains(text, "oct key with 128 bits") || (Material{}).String() != "no key" {
		t.Errorf("%q does not say what it is", text)
	}
}

func TestParsePrivateKeyRefuses(t *testing.T) {
	t.Parallel()
	p256 := block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))))
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	_, edwards, _ := ed25519.GenerateKey(rand.Reader)
	k1 := must(secp256k1.GeneratePrivateKey())
	point := must(secp256k1.GeneratePrivateKey()).PubKey().SerializeUncompressed()
	swapped := must(asn1.Marshal(ecPrivateKey{Version: 1, PrivateKey: k1.Serialize(), Curve: oidK1(), PublicKey: asn1.BitString{Bytes: point, BitLength: 8 * len(point)}}))
	zero := must(asn1.Marshal(ecPrivateKey{Version: 1, PrivateKey: make([]byte, 32), Curve: oidK1()}))
	tests := map[string]struct {
		text []byte
		says string
	}{
		"empty":        {nil, "no RSA or EC key"},
		"words":        {[]byte("let me in"), "no RSA or EC key"},
		"certificate":  {block("CERTIFICATE", []byte{1}), "no PEM block holds a private key"},
		"two":          {append(p256, p256...), "several private keys"},
		"password":     {block("ENCRYPTED PRIVATE KEY", []byte{1}), "openssl pkey"},
		"old password": {pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: []byte{1}}), "openssl pkey"},
		"P-224":        {block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p224))), "a vault takes P-256"},
		"Ed25519":      {block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(edwards))), "a vault takes RSA and EC keys"},
		"swapped":      {block("EC PRIVATE KEY", swapped), "not that of the private key"},
		"zero":         {block("EC PRIVATE KEY", zero), "out of range"},
		"long key":     {block("PRIVATE KEY", make([]byte, maxKey+1)), "longer than any"},
		"long":         {make([]byte, maxMaterial+1), "more than"},
	}
	for name, test := range tests {
		if m, err := ParsePrivateKey(test.text); err == nil || !strings.Contains(err.Error(), test.says) || m.Type() != "" {
			t.Errorf("%s: %v, %v; want %q", name, m, err, test.says)
		}
	}
	if _, err := SymmetricKey(make([]byte, 20)); err == nil {
		t.Error("a symmetric key of 20 bytes is taken")
	}
}

const someTransfer = `{"schema_version":"1.0.0","header":{"kid":"https://example.vault.azure.net/keys/kek/0123456789abcdef0123456789abcdef","alg":"dir","enc":"CKM_RSA_AES_KEY_WRAP"},"ciphertext":"AAAA","generator":"tool"}`

func TestParseTransfer(t *testing.T) {
	t.Parallel()
	m := must(ParseTransfer([]byte(someTransfer), "EC", "P-384"))
	p := ImportSpec{Name: "k", Material: m, HSM: true}.parameters()
	if !m.Transfer() || *p.Key.Kty != "EC-HSM" || *p.Key.Crv != "P-384" || string(p.Key.T) != someTransfer || !*p.HSM {
		t.Errorf("sends %+v", p.Key)
	}
	for name, test := range map[string][3]string{
		"no JSON": {"x", "RSA", ""}, "version": {strings.Replace(someTransfer, "1.0.0", "2.0.0", 1), "RSA", ""},
		"no ciphertext": {strings.Replace(someTransfer, "AAAA", "", 1), "RSA", ""}, "no type": {someTransfer, "", ""},
		"curve of RSA": {someTransfer, "RSA", "P-256"},
	} {
		if _, err := ParseTransfer([]byte(test[0]), test[1], test[2]); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzParsePrivateKey(f *testing.F) {
	for _, form := range forms(f) {
		f.Add(form.text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParsePrivateKey(text)
		if (err == nil) != (m.Type() != "" && m.Public() != nil) {
			t.Errorf("%v, %v", m, err)
		}
	})
}
