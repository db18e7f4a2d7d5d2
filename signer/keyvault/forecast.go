package keyvault

import (
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// Forecast tells what n operations with a key take of the vault's quota at
// least. It is zero where no vault is asked or no calls are paced.
func (c *Client) Forecast(key signer.Key, o schema.Operation, n int) quota.Forecast {
	calls := n * callsFor(key, o)
	id, err := c.gate.kid(key.KID)
	if c.config.Gate == nil || calls == 0 || err != nil {
		return quota.Forecast{}
	}
	at, class := id.vault.String(), classOf(key)
	gate := c.config.Gate(at, class)
	if gate == nil {
		return quota.Forecast{}
	}
	return gate.Forecast(quota.Units(calls) * c.costs(at).Of(class))
}

// callsFor returns the calls of one operation. What needs the public half only
// is done here. An HMAC is checked by a second call.
func callsFor(key signer.Key, o schema.Operation) int {
	switch o {
	case schema.GetPublicKey:
		return 0
	case schema.Verify, schema.Encrypt, schema.WrapKey:
		if !key.Symmetric {
			return 0
		}
	case schema.Sign:
		if key.Symmetric {
			return 2
		}
	}
	return 1
}
