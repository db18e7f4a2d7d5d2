package keyvault

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// privateKeyInfo is PKCS #8 without attributes (RFC 5208, section 5).
type privateKeyInfo struct {
	Version    int
	Algorithm  pkix.AlgorithmIdentifier
	PrivateKey []byte
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
}

// ecPrivateKey is SEC 1, section C.4 (RFC 5915, section 3).
type ecPrivateKey struct {
	Version    int
	PrivateKey []byte
	Curve      asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
	PublicKey  asn1.BitString        `asn1:"optional,explicit,tag:1"`
}

// parseK1Private reads a key on secp256k1, which the standard library does
// not know, in PKCS #8 or SEC 1 form. It reports false when der speaks of
// another curve or is of another form.
func parseK1Private(der []byte) (m Material, known bool, err error) {
	var outer privateKeyInfo
	if rest, err := asn1.Unmarshal(der, &outer); err == nil && len(rest) == 0 {
		var curve asn1.ObjectIdentifier
		if !outer.Algorithm.Algorithm.Equal(oidEC()) {
			return Material{}, false, nil
		}
		if _, err := asn1.Unmarshal(outer.Algorithm.Parameters.FullBytes, &curve); err != nil || !curve.Equal(oidK1()) {
			return Material{}, false, nil
		}
		der = outer.PrivateKey
	}
	var inner ecPrivateKey
	rest, err := asn1.Unmarshal(der, &inner)
	wrapped := outer.PrivateKey != nil
	switch {
	case !wrapped && (err != nil || !inner.Curve.Equal(oidK1())):
		return Material{}, false, nil
	case err != nil || len(rest) > 0 || inner.Version != 1 || inner.Curve != nil && !inner.Curve.Equal(oidK1()):
		return Material{}, true, errors.New("the secp256k1 key is malformed")
	}
	m, err = inner.material()
	return m, true, err
}

// material checks the number, and the public half where the key brings one.
func (k ecPrivateKey) material() (Material, error) {
	var d secp256k1.ModNScalar
	if len(k.PrivateKey) > 32 || d.SetByteSlice(k.PrivateKey) || d.IsZero() {
		return Material{}, errors.New("the secp256k1 key is out of range")
	}
	key := secp256k1.NewPrivateKey(&d)
	said := k.PublicKey.RightAlign()
	public := key.PubKey()
	if len(said) > 0 && !bytes.Equal(said, public.SerializeUncompressed()) && !bytes.Equal(said, public.SerializeCompressed()) {
		return Material{}, errors.New("the public half is not that of the private key")
	}
	return k1Material(key), nil
}

// oidEC is id-ecPublicKey (RFC 5480, section 2.1.1).
func oidEC() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1} }

// oidK1 is secp256k1 (SEC 2, section A.2.1).
func oidK1() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 132, 0, 10} }
