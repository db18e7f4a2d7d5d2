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
	// private returns all members of the key.
	private() privateJWK
	// class tells what the key costs and which algorithms fit it.
	class() class
	// sign signs a digest whose length fits the algorithm.
	sign(alg algorithm, digest []byte) ([]byte, error)
	// verify reports whether the signature is right for the digest.
	verify(alg algorithm, digest, signature []byte) bool
}

// class is the type of a key, with its size in bits or the name of its curve.
type class struct {
	kty   string // RSA, EC or oct
	bits  int    // of RSA and oct
	curve string // of EC
}

// String tells the curve of an EC key and the type of any other.
func (c class) String() string {
	if c.curve != "" {
		return "curve " + c.curve
	}
	return "type " + c.kty
}

// recipe describes a key to be made.
type recipe struct {
	kty      string // RSA, RSA-HSM, EC, EC-HSM or oct-HSM
	bits     int    // zero: 2048 for RSA, 256 for oct
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
	case "oct":
		if r.exponent != 0 || r.curve != "" {
			return nil, badParameter("key", "a symmetric key has neither curve nor exponent")
		}
		return generateOct(r.bits)
	default:
		return nil, badParameter("kty", fmt.Sprintf("key type %q is not supported", r.kty))
	}
}

// isHSM reports whether a key type is one of a hardware module.
func isHSM(kty string) bool { return strings.HasSuffix(kty, "-HSM") }
