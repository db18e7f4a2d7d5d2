package keyvault

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Wrap encrypts a key here with the public half of an RSA key, without a call.
// For AES key wrap the vault is asked.
func (c *Client) Wrap(ctx context.Context, key signer.Key, algorithm schema.Algorithm, content schema.Secret) ([]byte, error) {
	u, err := c.use(key, schema.WrapKey, algorithm, signer.Input{Size: len(content)})
	if err != nil {
		return nil, err
	}
	if !algorithm.Symmetric() {
		return c.encryptHere(ctx, u, content)
	}
	params := parameters(algorithm, content)
	got, err := c.ask(ctx, u, func(ctx context.Context, v *vault) (result, error) {
		answer, err := v.WrapKey(ctx, u.id.name, u.id.version, params, nil)
		return answer.KeyOperationResult, err
	}, func(got result) error { return sized("the wrapped key", got.Result, len(content)+8) })
	if err != nil {
		return nil, err
	}
	return got.Result, nil
}

// Unwrap asks the vault. A key that no wrapped key of this length can hold is
// CodeIntegrity.
func (c *Client) Unwrap(ctx context.Context, key signer.Key, algorithm schema.Algorithm, wrapped []byte) (schema.Secret, error) {
	u, err := c.use(key, schema.UnwrapKey, algorithm, signer.Input{Size: len(wrapped)})
	if err != nil {
		return nil, err
	}
	params := parameters(algorithm, wrapped)
	got, err := c.ask(ctx, u, func(ctx context.Context, v *vault) (result, error) {
		answer, err := v.UnwrapKey(ctx, u.id.name, u.id.version, params, nil)
		return answer.KeyOperationResult, err
	}, func(got result) error { return openedRight(u, len(wrapped), got.Result) })
	return got.Result, err
}

// openedRight checks that a plaintext may have come from a ciphertext of the
// given length.
func openedRight(u use, ciphertext int, plaintext []byte) error {
	least, most := ciphertext, ciphertext
	switch {
	case padded(u.algorithm):
		least, most = ciphertext-16, ciphertext-1
	case u.algorithm.Family() == schema.AESKW:
		least, most = ciphertext-8, ciphertext-8
	case !u.algorithm.Symmetric():
		least, most = 0, signer.Capacity(u.key.Public.(*rsa.PublicKey), u.algorithm)
	}
	if plaintext == nil {
		return errors.New("the answer holds no value")
	}
	if len(plaintext) < least || len(plaintext) > most {
		return fmt.Errorf("a plaintext of %d bytes cannot come from %d bytes in %s", len(plaintext), ciphertext, u.algorithm)
	}
	return nil
}

// padded reports whether AES-CBC fills up the last block (PKCS #7).
func padded(algorithm schema.Algorithm) bool {
	switch algorithm {
	case schema.A128CBCPAD, schema.A192CBCPAD, schema.A256CBCPAD:
		return true
	}
	return false
}
