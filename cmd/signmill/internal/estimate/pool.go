package estimate

import (
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/quota"
)

// poolSpeed returns the operations in a second that one partition of a Managed
// HSM does with one key, as the vendor measured it, and zero where no
// figure is published.
// https://learn.microsoft.com/azure/key-vault/managed-hsm/scaling-guidance
func poolSpeed(c quota.Class, o schema.Operation) float64 {
	switch {
	case o == schema.Sign && c.Type == quota.RSA:
		return map[int]float64{2048: 900, 3072: 340, 4096: 150}[c.Bits]
	case o == schema.Sign && c.Type == quota.EC:
		return map[string]float64{"P-256": 330, "P-256K": 330, "P-384": 160, "P-521": 200}[c.Curve]
	case (o == schema.Decrypt || o == schema.UnwrapKey) && c.Type == quota.RSA:
		return map[int]float64{2048: 1100, 3072: 360, 4096: 160}[c.Bits]
	}
	return 0
}
