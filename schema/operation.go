package schema

import "slices"

// Operation is what a job asks for, by the names of Key Vault.
type Operation string

// The operations that a job may ask for.
const (
	Sign         Operation = "sign"         // make one signature for each item
	Verify       Operation = "verify"       // tell for each item whether its signature is right
	Encrypt      Operation = "encrypt"      // encrypt each item's plaintext
	Decrypt      Operation = "decrypt"      // decrypt each item's ciphertext
	WrapKey      Operation = "wrapKey"      // encrypt each item's key
	UnwrapKey    Operation = "unwrapKey"    // decrypt each item's key
	GetPublicKey Operation = "getPublicKey" // return the public half of the key; one item, no algorithm
)

// Operations lists all operations in the order of their documentation.
func Operations() []Operation {
	return []Operation{Sign, Verify, Encrypt, Decrypt, WrapKey, UnwrapKey, GetPublicKey}
}

// Known reports whether o is one of the constants.
func (o Operation) Known() bool { return slices.Contains(Operations(), o) }

// Algorithms lists the algorithms that o can be done with, in the order of
// their documentation. GetPublicKey, which needs none, has none.
func (o Operation) Algorithms() []Algorithm { return algorithmsOf(o.families()...) }

// Takes reports whether o can be done with a.
func (o Operation) Takes(a Algorithm) bool { return slices.Contains(o.families(), a.Family()) }

// families lists the families that o can be done with.
func (o Operation) families() []Family {
	switch o {
	case Sign, Verify:
		return []Family{PKCS1, PSS, ECDSA, HMAC}
	case Encrypt, Decrypt:
		return []Family{RSAES, OAEP, AESGCM, AESCBC}
	case WrapKey, UnwrapKey:
		return []Family{RSAES, OAEP, AESKW}
	}
	return nil
}

// signatures reports whether o makes or takes signatures.
func (o Operation) signatures() bool { return o == Sign || o == Verify }

// algorithmsOf lists the algorithms of some families.
func algorithmsOf(families ...Family) []Algorithm {
	return slices.DeleteFunc(Algorithms(), func(a Algorithm) bool { return !slices.Contains(families, a.Family()) })
}
