package signer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// pemType is the label of a SubjectPublicKeyInfo (RFC 7468, section 13).
const pemType = "PUBLIC KEY"

// maxPEM bounds what ParsePEM reads: an RSA key of 8,192 bits needs 1.5 KB.
const maxPEM = 16 << 10

// subjectPublicKeyInfo is the ASN.1 form of RFC 5280, section 4.1.
type subjectPublicKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

// MarshalPEM writes a public key as SubjectPublicKeyInfo in PEM (RFC 7468,
// section 13), as openssl pkey -pubin reads it. It takes the types that
// [Key].Public may hold and fails on any other.
func MarshalPEM(public crypto.PublicKey) ([]byte, error) {
	var der []byte
	var err error
	switch key := public.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		der, err = x509.MarshalPKIXPublicKey(key)
	case *secp256k1.PublicKey:
		der, err = marshalK1(key)
	default:
		err = fmt.Errorf("%s has no PEM form here", describe(public))
	}
	if err != nil {
		return nil, fmt.Errorf("write public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

// ParsePEM reads what [MarshalPEM] writes: one PUBLIC KEY block with an RSA
// key of 2,048 to 8,192 bits, or an EC key on P-256, P-384, P-521 or
// secp256k1 in uncompressed form. The result has one of the types that
// [Key].Public may hold.
func ParsePEM(text []byte) (crypto.PublicKey, error) {
	if len(text) > maxPEM {
		return nil, fmt.Errorf("read public key: %d bytes are more than %d", len(text), maxPEM)
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemType || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("read public key: the text is not one PEM block of type %s", pemType)
	}
	if key, err := parseK1(block.Bytes); key != nil || err != nil {
		return key, err
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	key, isRSA := public.(*rsa.PublicKey)
	small := isRSA && (key.N.BitLen() < minRSABits || key.N.BitLen() > maxRSABits)
	if small || !isRSA && curveOf(public) == "" {
		return nil, fmt.Errorf("read public key: %s is not supported", describe(public))
	}
	return public, nil
}

func marshalK1(key *secp256k1.PublicKey) ([]byte, error) {
	curve, err := asn1.Marshal(oidSecp256k1())
	if err != nil {
		return nil, err
	}
	point := key.SerializeUncompressed()
	return asn1.Marshal(subjectPublicKeyInfo{
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidECPublicKey(), Parameters: asn1.RawValue{FullBytes: curve}},
		Key:       asn1.BitString{Bytes: point, BitLength: 8 * len(point)},
	})
}

// parseK1 returns nil and no error when der does not speak of secp256k1.
func parseK1(der []byte) (crypto.PublicKey, error) {
	var info subjectPublicKeyInfo
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(der, &info); err != nil || !info.Algorithm.Algorithm.Equal(oidECPublicKey()) {
		return nil, nil
	}
	if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &curve); err != nil || !curve.Equal(oidSecp256k1()) {
		return nil, nil
	}
	key, err := secp256k1.ParsePubKey(info.Key.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read public key: secp256k1 point: %w", err)
	}
	// The decoders take other forms of the same key; the encoder writes one.
	if strict, err := marshalK1(key); err != nil || !bytes.Equal(strict, der) {
		return nil, errors.New("read public key: the secp256k1 key is not an uncompressed point in strict DER")
	}
	return key, nil
}

// oidECPublicKey is id-ecPublicKey (RFC 5480, section 2.1.1).
func oidECPublicKey() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
}

// oidSecp256k1 is the curve's identifier (SEC 2, section A.2.1).
func oidSecp256k1() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 132, 0, 10} }
