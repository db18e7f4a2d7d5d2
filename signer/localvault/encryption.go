package localvault

import (
	"crypto"
	"fmt"
	"slices"
)

// encryption is a row of the service's table of encryption algorithms
// (RFC 7518 section 4.1; CBC, CBCPAD and GCM on the data itself are the
// service's own).
type encryption struct {
	name string
	mode mode
	hash crypto.Hash // of OAEP
	bits int         // of an AES key
}

// mode is how an algorithm encrypts.
type mode int

const (
	pkcs1   mode = iota // RSAES-PKCS1-v1_5 (RFC 8017 section 7.2)
	oaep                // RSAES-OAEP without a label (RFC 8017 section 7.1)
	gcm                 // SP 800-38D
	cbc                 // SP 800-38A section 6.2
	cbcPad              // the same with PKCS #7 padding (RFC 5652 section 6.3)
	keyWrap             // RFC 3394
)

// encryptions is constant.
var encryptions = []encryption{
	{name: "RSA1_5", mode: pkcs1},
	{name: "RSA-OAEP", mode: oaep, hash: crypto.SHA1},
	{name: "RSA-OAEP-256", mode: oaep, hash: crypto.SHA256},
	{name: "A128GCM", mode: gcm, bits: 128},
	{name: "A192GCM", mode: gcm, bits: 192},
	{name: "A256GCM", mode: gcm, bits: 256},
	{name: "A128CBC", mode: cbc, bits: 128},
	{name: "A192CBC", mode: cbc, bits: 192},
	{name: "A256CBC", mode: cbc, bits: 256},
	{name: "A128CBCPAD", mode: cbcPad, bits: 128},
	{name: "A192CBCPAD", mode: cbcPad, bits: 192},
	{name: "A256CBCPAD", mode: cbcPad, bits: 256},
	{name: "A128KW", mode: keyWrap, bits: 128},
	{name: "A192KW", mode: keyWrap, bits: 192},
	{name: "A256KW", mode: keyWrap, bits: 256},
}

// pickEncryption finds the algorithm and checks that it fits the key operation
// and the key.
func pickEncryption(name, op string, key class) (encryption, error) {
	i := slices.IndexFunc(encryptions, func(e encryption) bool { return e.name == name })
	if i < 0 {
		return encryption{}, badParameter("alg", fmt.Sprintf("algorithm %q is not supported for %s", name, op))
	}
	alg := encryptions[i]
	if wraps := op == "wrapKey" || op == "unwrapKey"; !alg.does(wraps) {
		return encryption{}, badParameter("alg", fmt.Sprintf("algorithm %s is not for %s", name, op))
	}
	if kty := alg.kty(); kty != key.kty {
		return encryption{}, badParameter("alg", fmt.Sprintf("algorithm %s needs a key of type %s; this one has the %s", name, kty, key))
	}
	if alg.bits != 0 && alg.bits != key.bits {
		return encryption{}, badParameter("alg", fmt.Sprintf("algorithm %s needs a key of %d bits; this one has %d", name, alg.bits, key.bits))
	}
	return alg, nil
}

// does reports whether the algorithm wraps keys, or else encrypts. With an RSA
// key both are the same.
func (e encryption) does(wraps bool) bool {
	return e.kty() == "RSA" || wraps == (e.mode == keyWrap)
}

// kty is the type of key that the algorithm needs.
func (e encryption) kty() string {
	if e.mode == pkcs1 || e.mode == oaep {
		return "RSA"
	}
	return "oct"
}

// sizes returns how many bytes of iv and tag a request brings. Who encrypts
// with GCM brings none: the service makes the iv.
func (e encryption) sizes(encrypts bool) (iv, tag int) {
	switch {
	case e.mode == cbc || e.mode == cbcPad:
		return blockSize, 0
	case e.mode == gcm && !encrypts:
		return gcmIV, gcmTag
	}
	return 0, 0
}
