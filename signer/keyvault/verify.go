package keyvault

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Verify reports whether signature, in JOSE form, belongs to digest. With a
// public key that is decided here, without a call, and a "no" stands: the
// vault is never asked for a second opinion. For HMAC the vault is asked,
// unless the length alone tells.
func (c *Client) Verify(ctx context.Context, key signer.Key, algorithm schema.Algorithm, digest, signature []byte) (bool, error) {
	u, err := c.use(key, schema.Verify, algorithm, signer.Input{Size: len(digest)})
	if err != nil {
		return false, err
	}
	if algorithm.Symmetric() && len(signature) == algorithm.Hash().Size() {
		return c.matches(ctx, u, digest, signature)
	}
	if err := c.here(ctx, u); err != nil || algorithm.Symmetric() {
		return false, err
	}
	err = signer.Verify(key.Public, algorithm, digest, signature)
	if errors.Is(err, signer.ErrNotVerified) {
		return false, nil
	}
	return err == nil, err
}

// matches asks the vault about an HMAC.
func (c *Client) matches(ctx context.Context, u use, digest, mac []byte) (valid bool, err error) {
	name := azkeys.SignatureAlgorithm(u.algorithm)
	params := azkeys.VerifyParameters{Algorithm: &name, Digest: digest, Signature: mac}
	err = c.perform(ctx, u, func(ctx context.Context, v *vault) error {
		answer, err := v.Verify(ctx, u.id.name, u.id.version, params, nil)
		switch {
		case err != nil:
			return err
		case answer.Value == nil:
			return u.tampered(errors.New("the answer says neither yes nor no"))
		}
		valid = *answer.Value
		return nil
	})
	return valid, err
}

// confirm fails with CodeIntegrity unless the vault stands by an HMAC that it
// has just made.
func (c *Client) confirm(ctx context.Context, signed use, digest, mac []byte) error {
	u := signed
	u.operation = schema.Verify
	valid, err := c.matches(ctx, u, digest, mac)
	if err == nil && !valid {
		err = signed.tampered(signer.ErrNotVerified)
		c.alarm(ctx, signed.id, "", err)
	}
	return err
}
