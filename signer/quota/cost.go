package quota

import "strings"

// Units measure what a call costs and what a vault allows. One operation with
// a software RSA-2048 or EC key costs 1.
type Units int

// The documented limits of one vault in one region per 10 seconds. Each is a
// budget of its own, and so a [Gate] of its own; see [Class.Budget].
// https://learn.microsoft.com/azure/key-vault/general/service-limits
const (
	KeyUnits       Units = 4000 // operations with keys, weighted by [Costs]
	CreateSoftware Units = 20   // create and release of software keys, one unit each
	CreateHSM      Units = 10   // create and release of HSM keys, one unit each
	ImportUnits    Units = 300  // imports of keys and certificates, new secrets, one unit each

	// SubscriptionFactor times a vault's limit is what all vaults of a
	// subscription in one region may use together.
	SubscriptionFactor = 5
)

// KeyType is the family of a key. The zero value is a key nobody knows.
type KeyType uint8

// The families of keys that a vault holds.
const (
	UnknownKey KeyType = iota
	RSA
	EC
	Oct
)

// Op is the class of an operation. The zero value is all that is neither
// create, release nor import, reads of a key included.
type Op uint8

// The classes of operations that a vault counts apart.
const (
	Use    Op = iota // sign, verify, encrypt, decrypt, wrap, unwrap, get
	Create           // create, rotate, release
	Import
)

// Class is what the cost of a call depends on.
type Class struct {
	Type  KeyType
	Bits  int    // size of an RSA or symmetric key; not read for EC
	Curve string // JWK name of an EC key's curve: P-256, P-384, P-521, P-256K
	HSM   bool
	Op    Op
}

// Budget returns the documented limit of the budget that a call of the class
// draws on. Classes with the same limit draw on the same budget.
func (c Class) Budget() Units {
	switch {
	case c.Op == Import:
		return ImportUnits
	case c.Op == Create && c.HSM:
		return CreateHSM
	case c.Op == Create:
		return CreateSoftware
	}
	return KeyUnits
}

// Costs is the price list. An entry replaces the documented price of its
// class; the zero value is the documented list:
//
//	            software  HSM
//	RSA 2048        1      2
//	RSA 3072        4      8
//	RSA 4096        8     16
//	EC              1      2
//	oct             -      2
//	create, import  1      1  (from budgets of their own)
type Costs map[Class]Units

// Of returns what a call of the class costs, at least 1. A key that is on no
// list costs as much as the dearest that is.
func (c Costs) Of(class Class) Units {
	if cost, ok := c[class]; ok {
		return max(1, cost)
	}
	if cost := documented(class); cost > 0 {
		return cost
	}
	dearest := documented(Class{Type: RSA, Bits: 4096, HSM: true})
	for class, cost := range c {
		if class.Op == Use {
			dearest = max(dearest, cost)
		}
	}
	return dearest
}

// documented returns the price on the vendor's list, and zero if there is none.
func documented(c Class) Units {
	var cost Units
	switch {
	case c.Op != Use:
		return 1
	case c.Type == EC && strings.HasPrefix(c.Curve, "P-"):
		cost = 1
	case c.Type == RSA && c.Bits == 2048:
		cost = 1
	case c.Type == RSA && c.Bits == 3072:
		cost = 4
	case c.Type == RSA && c.Bits == 4096:
		cost = 8
	case c.Type == Oct && c.HSM:
		cost = 1
	}
	if c.HSM {
		cost *= 2
	}
	return cost
}
