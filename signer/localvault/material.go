package localvault

import (
	"fmt"
	"strings"
)

// material is the key pair of one version. It never changes and is safe for
// concurrent use.
type material interface {
	// public returns the public members of the key.
	public() jwk
	// class tells what the key costs and which algorithms fit it.
	class() class
	// sign signs a digest whose length fits the algorithm.
	sign(alg algorithm, digest []byte) ([]byte, error)
	// verify reports whether the signature is right for the digest.
	verify(alg algorithm, digest, signature []byte) bool
}

// class is the size of an RSA key in bits, or the name of an EC key's curve.
type class struct {
	bits  int
	curve string
}

// recipe describes a key to be made.
type recipe struct {
	kty      string // RSA, RSA-HSM, EC or EC-HSM
	bits     int    // zero: 2048
	curve    string // empty: P-256
	exponent int    // zero: 65537
}

// generate makes a fresh key. It takes seconds for RSA 4096.
func (r recipe) generate() (material, error) {
	switch base, _ := strings.CutSuffix(r.kty, "-HSM"); base {
	case "RSA":
		if r.curve != "" {
			return nil, badParameter("crv", "an RSA key has no curve")
		}
		return generateRSA(r.bits, r.exponent)
	case "EC":
		if r.exponent != 0 {
			return nil, badParameter("public_exponent", "an EC key has no exponent")
		}
		return generateEC(r.curve)
	default:
		return nil, badParameter("kty", fmt.Sprintf("key type %q is not supported", r.kty))
	}
}

// isHSM reports whether a key type is one of a hardware module.
func isHSM(kty string) bool { return strings.HasSuffix(kty, "-HSM") }
