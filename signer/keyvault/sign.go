package keyvault

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Sign returns the signature of digest in JOSE form, made by the version that
// key names and verified with key.Public. An HMAC, for which there is no
// public key, is verified by a second call, so that key_ops must allow verify
// too. A key that cannot sign digest costs no call. An answer that names
// another version, or a signature that does not verify, is CodeIntegrity: it
// is logged as an error, thrown away, and not asked for again. After a refusal
// the next Resolve of the key asks the vault.
func (c *Client) Sign(ctx context.Context, key signer.Key, algorithm schema.Algorithm, digest []byte) ([]byte, error) {
	in := signer.Input{Size: len(digest)}
	u, err := c.use(key, schema.Sign, algorithm, in)
	if err != nil {
		return nil, err
	}
	verified := func(signature []byte) error { return signer.Verify(key.Public, algorithm, digest, signature) }
	if algorithm.Symmetric() {
		if err := signer.Check(key, schema.Verify, algorithm, in); err != nil {
			return nil, err
		}
		verified = func(mac []byte) error { return sized("the HMAC", mac, algorithm.Hash().Size()) }
	}
	name := azkeys.SignatureAlgorithm(algorithm)
	params := azkeys.SignParameters{Algorithm: &name, Value: digest}
	got, err := c.ask(ctx, u, func(ctx context.Context, v *vault) (result, error) {
		answer, err := v.Sign(ctx, u.id.name, u.id.version, params, nil)
		return answer.KeyOperationResult, err
	}, func(got result) error { return verified(got.Result) })
	if err == nil && algorithm.Symmetric() {
		err = c.confirm(ctx, u, digest, got.Result)
	}
	if err != nil {
		return nil, err
	}
	return got.Result, nil
}

// sized fails unless b has the length that the algorithm makes.
func sized(what string, b []byte, want int) error {
	if len(b) != want {
		return fmt.Errorf("%s has %d bytes, and should have %d", what, len(b), want)
	}
	return nil
}
