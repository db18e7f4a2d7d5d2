package quotabench

import "math/rand/v2"

// mix is which keys the jobs of a run ask for.
type mix struct {
	name    string
	dearest Key
	draw    func(*rand.Rand) Key
}

// mixes lists all. With dear keys a Window has room for 250 calls; mixed ones
// are the hardest test of a guard.
func mixes() []mix {
	return []mix{
		{"uniform", HSM2048, func(*rand.Rand) Key { return HSM2048 }},
		{"mixed", HSM4096, mixed},
		{"dear", HSM4096, func(*rand.Rand) Key { return HSM4096 }},
	}
}

func mixed(random *rand.Rand) Key {
	switch n := random.IntN(10); {
	case n < 7:
		return HSM2048
	case n < 9:
		return Software2048
	}
	return HSM4096
}
