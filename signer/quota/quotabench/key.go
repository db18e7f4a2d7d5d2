package quotabench

import (
	"crypto/rsa"
	"crypto/sha256"
	_ "embed" // the material
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
)

// version is that of every key.
const version = "0123456789abcdef0123456789abcdef"

// Key is one of a vault's keys. All vaults hold the same three.
type Key struct {
	Name string  // as in its identifier
	Bits int     // of its RSA modulus
	HSM  bool    // its type is RSA-HSM
	Cost float64 // units for a signature
}

// The keys: 4,000, 2,000 and 250 signatures per Window.
var (
	Software2048 = Key{Name: "sw-2048", Bits: 2048, Cost: 1}
	HSM2048      = Key{Name: "hsm-2048", Bits: 2048, HSM: true, Cost: 2}
	HSM4096      = Key{Name: "hsm-4096", Bits: 4096, HSM: true, Cost: 16}
)

// Digest is the only one that a vault's signatures verify for (RS256): they
// were made once, and their private keys thrown away.
func Digest() []byte {
	digest := sha256.Sum256([]byte("signmill quotabench"))
	return digest[:]
}

// KID returns the identifier of the key's only version in a vault.
func (k Key) KID(vaultURL string) string {
	return vaultURL + "/keys/" + k.Name + "/" + version
}

// Public returns the public half.
func (k Key) Public() *rsa.PublicKey {
	n, _ := base64.RawURLEncoding.DecodeString(k.material().N)
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
}

// named returns the key of that name.
func named(name string) (Key, bool) {
	for _, k := range []Key{Software2048, HSM2048, HSM4096} {
		if k.Name == name {
			return k, true
		}
	}
	return Key{}, false
}

// kty is the key's type in a JWK.
func (k Key) kty() string {
	if k.HSM {
		return "RSA-HSM"
	}
	return "RSA"
}

// material is a public key and the signature of [Digest], base64url.
type material struct {
	Bits            int
	N, E, Signature string
}

//go:embed material.json
var materials []byte

func (k Key) material() material {
	var all []material
	if err := json.Unmarshal(materials, &all); err != nil {
		panic(fmt.Sprintf("material.json is part of this package: %v", err))
	}
	for _, m := range all {
		if m.Bits == k.Bits {
			return m
		}
	}
	return material{}
}
