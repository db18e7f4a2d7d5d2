package keyvault

import (
	"bytes"
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Encrypt encrypts here with the public half of an RSA key, without a call.
// For AES the vault is asked; its answer must have the lengths that the
// algorithm makes and the iv and additional data that it was given. Whether an
// AES ciphertext is the right one cannot be told here.
func (c *Client) Encrypt(ctx context.Context, key signer.Key, algorithm schema.Algorithm, plain signer.Plain) (signer.Sealed, error) {
	u, err := c.use(key, schema.Encrypt, algorithm, signer.Input{Size: len(plain.Text), IV: len(plain.IV), AAD: len(plain.AAD)})
	if err != nil {
		return signer.Sealed{}, err
	}
	if !algorithm.Symmetric() {
		ciphertext, err := c.encryptHere(ctx, u, plain.Text)
		return signer.Sealed{Ciphertext: ciphertext}, err
	}
	params := parameters(algorithm, plain.Text)
	params.IV, params.AdditionalAuthenticatedData = plain.IV, plain.AAD
	got, err := c.ask(ctx, u, func(ctx context.Context, v *vault) (result, error) {
		answer, err := v.Encrypt(ctx, u.id.name, u.id.version, params, nil)
		return answer.KeyOperationResult, err
	}, func(got result) error { return sealedRight(algorithm, plain, got) })
	if err != nil {
		return signer.Sealed{}, err
	}
	sealed := signer.Sealed{Ciphertext: got.Result, IV: plain.IV, AAD: plain.AAD}
	if algorithm.Family() == schema.AESGCM {
		sealed.IV, sealed.Tag = got.IV, got.AuthenticationTag
	}
	return sealed, nil
}

// Decrypt asks the vault. A plaintext that no ciphertext of this length can
// have is CodeIntegrity.
func (c *Client) Decrypt(ctx context.Context, key signer.Key, algorithm schema.Algorithm, sealed signer.Sealed) (schema.Secret, error) {
	in := signer.Input{Size: len(sealed.Ciphertext), IV: len(sealed.IV), AAD: len(sealed.AAD), Tag: len(sealed.Tag)}
	u, err := c.use(key, schema.Decrypt, algorithm, in)
	if err != nil {
		return nil, err
	}
	params := parameters(algorithm, sealed.Ciphertext)
	params.IV, params.AuthenticationTag, params.AdditionalAuthenticatedData = sealed.IV, sealed.Tag, sealed.AAD
	got, err := c.ask(ctx, u, func(ctx context.Context, v *vault) (result, error) {
		answer, err := v.Decrypt(ctx, u.id.name, u.id.version, params, nil)
		return answer.KeyOperationResult, err
	}, func(got result) error { return openedRight(u, len(sealed.Ciphertext), got.Result) })
	return got.Result, err
}

// encryptHere encrypts with the public half of an RSA key.
func (c *Client) encryptHere(ctx context.Context, u use, plaintext schema.Secret) ([]byte, error) {
	if err := c.here(ctx, u); err != nil {
		return nil, err
	}
	return signer.Encrypt(u.key.Public, u.algorithm, plaintext)
}

func parameters(algorithm schema.Algorithm, input []byte) azkeys.KeyOperationParameters {
	name := azkeys.EncryptionAlgorithm(algorithm)
	return azkeys.KeyOperationParameters{Algorithm: &name, Value: input}
}

// sealedRight checks the form of an answer to encrypt with AES.
func sealedRight(algorithm schema.Algorithm, plain signer.Plain, got result) error {
	want, iv, tag := len(plain.Text), len(plain.IV), 0
	switch {
	case padded(algorithm):
		want += 16 - want%16
	case algorithm.Family() == schema.AESGCM:
		iv, tag = 12, 16
	}
	if plain.IV != nil && got.IV == nil {
		got.IV = plain.IV // an answer need not repeat what it was given
	}
	if plain.IV != nil && !bytes.Equal(got.IV, plain.IV) {
		return errors.New("the answer has another iv than the one that was given")
	}
	if got.AdditionalAuthenticatedData != nil && !bytes.Equal(got.AdditionalAuthenticatedData, plain.AAD) {
		return errors.New("the answer has other additional data than was given")
	}
	return errors.Join(sized("the ciphertext", got.Result, want), sized("the iv", got.IV, iv), sized("the tag", got.AuthenticationTag, tag))
}
