package keyvault

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"

	"crypto"
	"crypto/x509"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// Material is a private or symmetric key on its way into a vault. However it
// is printed or logged, it shows no secret. The zero value is none.
type Material struct {
	jwk    azkeys.JSONWebKey
	public crypto.PublicKey // nil for symmetric keys and transfer blobs
	size   int              // bits of an RSA modulus or a symmetric key, if known
}

// maxMaterial bounds what is read, and maxKey the key in it: an RSA key of 4,096
// bits has 2.4 KB, and the time to check one grows with the cube of its size.
const (
	maxMaterial = 64 << 10
	maxKey      = 4 << 10
)

// Type returns RSA, EC or oct; "" for the zero value.
func (m Material) Type() string { return string(value(m.jwk.Kty)) }

// Curve returns the curve's name; "" when the key is not EC.
func (m Material) Curve() string { return string(value(m.jwk.Crv)) }

// Size returns the bits of an RSA modulus or of a symmetric key; 0 when it
// is not known.
func (m Material) Size() int { return m.size }

// Transfer reports whether the key is wrapped for one vault's hardware.
func (m Material) Transfer() bool { return m.jwk.T != nil }

// Public returns the public half, as in signer.Key; nil when it is not known.
func (m Material) Public() crypto.PublicKey { return m.public }

// String tells what the key is, and nothing of it.
func (m Material) String() string {
	switch {
	case m.Type() == "":
		return "no key"
	case m.Transfer():
		return m.Type() + " key in a transfer blob"
	case m.Curve() != "":
		return m.Type() + " key on " + m.Curve()
	}
	return fmt.Sprintf("%s key with %d bits", m.Type(), m.size)
}

// Format writes the text of String under every verb.
func (m Material) Format(f fmt.State, _ rune) { fmt.Fprint(f, m.String()) }

// LogValue returns the text of String.
func (m Material) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalText returns the text of String.
func (m Material) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// ParsePrivateKey reads one private key in PEM or DER: PKCS #8, PKCS #1 or
// SEC 1; RSA with 2,048, 3,072 or 4,096 bits, or EC on P-256, P-384, P-521 or
// secp256k1. Other PEM blocks beside it are ignored. Keys under a password
// are refused. No error repeats the text.
func ParsePrivateKey(text []byte) (Material, error) {
	if len(text) > maxMaterial {
		return Material{}, fmt.Errorf("read private key: %d bytes are more than %d", len(text), maxMaterial)
	}
	block, err := privateBlock(text)
	if err != nil {
		return Material{}, fmt.Errorf("read private key: %w", err)
	}
	m, err := parsePrivate(block)
	if err != nil {
		return Material{}, fmt.Errorf("read private key: %w", err)
	}
	return m, nil
}

// privateBlock finds the one block with a private key. Text without any block
// is DER.
func privateBlock(text []byte) (*pem.Block, error) {
	var found *pem.Block
	blocks := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		blocks++
		switch block.Type {
		case "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("the key is under a password; take that off with: openssl pkey -in FILE")
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				return nil, errors.New("the key is under a password; take that off with: openssl pkey -in FILE")
			}
			if found != nil {
				return nil, errors.New("there are several private keys; keep one")
			}
			found = block
		}
	}
	switch {
	case found != nil:
		return found, nil
	case blocks > 0:
		return nil, errors.New("no PEM block holds a private key")
	}
	return &pem.Block{Bytes: text}, nil
}

// parsePrivate reads the forms that the block's label allows, or all of them.
func parsePrivate(block *pem.Block) (Material, error) {
	if len(block.Bytes) > maxKey {
		return Material{}, fmt.Errorf("a key of %d bytes is longer than any that a vault takes", len(block.Bytes))
	}
	if block.Type != "RSA PRIVATE KEY" {
		if m, known, err := parseK1Private(block.Bytes); known {
			return m, err
		}
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return materialOf(key)
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return materialOf(key)
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return materialOf(key)
	}
	return Material{}, errors.New("it is no RSA or EC key in PKCS #8, PKCS #1 or SEC 1 form")
}

func materialOf(key any) (Material, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return rsaMaterial(key)
	case *ecdsa.PrivateKey:
		return ecMaterial(key)
	}
	return Material{}, fmt.Errorf("a vault takes RSA and EC keys, and this is a %T", key)
}

func rsaMaterial(key *rsa.PrivateKey) (Material, error) {
	if err := oneOf("size of an RSA key that a vault takes", key.N.BitLen(), 0, 2048, 3072, 4096); err != nil {
		return Material{}, err
	}
	if len(key.Primes) != 2 {
		return Material{}, fmt.Errorf("an RSA key of %d primes, and a vault takes two", len(key.Primes))
	}
	if err := key.Validate(); err != nil {
		return Material{}, errors.New("the RSA key does not hang together")
	}
	key.Precompute()
	return Material{public: &key.PublicKey, size: key.N.BitLen(), jwk: azkeys.JSONWebKey{
		Kty: new(azkeys.KeyTypeRSA),
		N:   key.N.Bytes(), E: big.NewInt(int64(key.E)).Bytes(), D: key.D.Bytes(),
		P: key.Primes[0].Bytes(), Q: key.Primes[1].Bytes(),
		DP: key.Precomputed.Dp.Bytes(), DQ: key.Precomputed.Dq.Bytes(), QI: key.Precomputed.Qinv.Bytes(),
	}}, nil
}

func ecMaterial(key *ecdsa.PrivateKey) (Material, error) {
	curve := azkeys.CurveName(key.Curve.Params().Name)
	switch curve {
	case azkeys.CurveNameP256, azkeys.CurveNameP384, azkeys.CurveNameP521:
	default:
		return Material{}, fmt.Errorf("curve %s: a vault takes P-256, P-384, P-521 and secp256k1", curve)
	}
	d, err := key.Bytes()
	if err != nil {
		return Material{}, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return Material{}, err
	}
	half := (len(point) - 1) / 2
	return Material{public: &key.PublicKey, jwk: azkeys.JSONWebKey{
		Kty: new(azkeys.KeyTypeEC), Crv: &curve, D: d, X: point[1 : 1+half], Y: point[1+half:],
	}}, nil
}

func k1Material(key *secp256k1.PrivateKey) Material {
	point := key.PubKey().SerializeUncompressed()
	return Material{public: key.PubKey(), jwk: azkeys.JSONWebKey{
		Kty: new(azkeys.KeyTypeEC), Crv: new(azkeys.CurveNameP256K), D: key.Serialize(), X: point[1:33], Y: point[33:],
	}}
}

// SymmetricKey takes a raw AES or HMAC key of 16, 24 or 32 bytes.
func SymmetricKey(raw []byte) (Material, error) {
	if err := oneOf("length of a symmetric key in bytes", len(raw), 0, 16, 24, 32); err != nil {
		return Material{}, err
	}
	return Material{size: 8 * len(raw), jwk: azkeys.JSONWebKey{Kty: new(azkeys.KeyTypeOct), K: raw}}, nil
}
