package keyvault

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Allowed reports whether the vault would let us do operation with key. nil:
// it would, or the operation needs no vault. Otherwise the error is that of
// the operation itself: CodeForbidden without the right, CodeKeyUnusable when
// the key's state stands in the way.
//
// It does nothing with the key. Where there is no harmless way to ask, it asks
// for what cannot be done: a value of one byte, which is no digest, no
// ciphertext and no block, with an algorithm that is well known. A vault
// decides on rights and on the key's state before it looks at the value, so a
// 400 says that both are in order and a 403 that they are not. A symmetric key
// is asked to sign with an algorithm for RSA keys, because the length of an
// HMAC's input is free. That order is what vaults show and what roles are made
// for, but no page promises it: one that read the value first would make a
// missing right look like one that is there. It makes one call, or two where the
// first fails in passing, and costs the quota what the operation does.
func (c *Client) Allowed(ctx context.Context, key signer.Key, operation schema.Operation) error {
	if !Asks(key, operation) {
		return nil
	}
	id, err := c.gate.kid(key.KID)
	if err != nil {
		return &signer.Error{Code: schema.CodeKeyNotFound, Message: err.Error()}
	}
	u := use{key: key, id: id, operation: operation}
	return c.perform(ctx, u, func(ctx context.Context, v *vault) error {
		err := impossible(ctx, v, u)
		if answer, ok := errors.AsType[*azcore.ResponseError](err); ok && answer.StatusCode == http.StatusBadRequest {
			return nil
		}
		if err == nil && operation != schema.Verify {
			return u.tampered(fmt.Errorf("the vault did what cannot be done: %s of one byte", operation))
		}
		return err
	})
}

// Asks reports whether operation with key is done by the vault. What the
// public half can do is done here, and needs no right.
func Asks(key signer.Key, operation schema.Operation) bool {
	switch operation {
	case schema.Sign, schema.Decrypt, schema.UnwrapKey:
		return true
	case schema.Verify, schema.Encrypt, schema.WrapKey:
		return key.Symmetric
	}
	return false
}

// impossible asks for an operation on one byte.
func impossible(ctx context.Context, v *vault, u use) (err error) {
	id, value := u.id, []byte{0}
	switch u.operation {
	case schema.Sign:
		a := azkeys.SignatureAlgorithm(unsignable(u.key))
		_, err = v.Sign(ctx, id.name, id.version, azkeys.SignParameters{Algorithm: &a, Value: value}, nil)
	case schema.Verify:
		a := azkeys.SignatureAlgorithm(unsignable(u.key))
		_, err = v.Verify(ctx, id.name, id.version, azkeys.VerifyParameters{Algorithm: &a, Digest: value, Signature: value}, nil)
	case schema.Encrypt:
		_, err = v.Encrypt(ctx, id.name, id.version, unreadable(u.key, azkeys.EncryptionAlgorithmA256CBC), nil)
	case schema.Decrypt:
		_, err = v.Decrypt(ctx, id.name, id.version, unreadable(u.key, azkeys.EncryptionAlgorithmA256CBC), nil)
	case schema.WrapKey:
		_, err = v.WrapKey(ctx, id.name, id.version, unreadable(u.key, azkeys.EncryptionAlgorithmA256KW), nil)
	case schema.UnwrapKey:
		_, err = v.UnwrapKey(ctx, id.name, id.version, unreadable(u.key, azkeys.EncryptionAlgorithmA256KW), nil)
	}
	return err
}

// unsignable is an algorithm with which one byte cannot be signed: it wants a
// digest, or a key of another type.
func unsignable(key signer.Key) schema.Algorithm {
	if _, isRSA := key.Public.(*rsa.PublicKey); isRSA || key.Symmetric {
		return schema.RS256
	}
	for _, a := range schema.PublicKeySignatures() {
		if signer.Fits(key, a) == nil {
			return a
		}
	}
	return schema.ES256
}

// unreadable is one byte for an algorithm that takes whole blocks, or as many
// bytes as the modulus has.
func unreadable(key signer.Key, symmetric azkeys.EncryptionAlgorithm) azkeys.KeyOperationParameters {
	p := azkeys.KeyOperationParameters{Algorithm: &symmetric, Value: []byte{0}}
	if !key.Symmetric {
		oaep := azkeys.EncryptionAlgorithmRSAOAEP256
		p.Algorithm = &oaep
	} else if strings.HasSuffix(string(symmetric), "CBC") {
		p.IV = make([]byte, 16)
	}
	return p
}
