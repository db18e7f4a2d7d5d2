package keyvault

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"fmt"
	"io"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Decrypter is a [PrivateKey] that is a crypto.Decrypter as well. It is a type
// of its own because crypto/tls turns away every key with a Decrypt method
// that is not an RSA key.
type Decrypter struct{ *PrivateKey }

var (
	_ crypto.MessageSigner = Decrypter{}
	_ crypto.Decrypter     = Decrypter{}
)

// Decrypter returns the same key with the methods that decrypt. It fails with
// CodeAlgorithmNotFitting when the key is not one of RSA.
func (k *PrivateKey) Decrypter() (Decrypter, error) {
	if _, isRSA := k.public.(*rsa.PublicKey); !isRSA {
		return Decrypter{}, k.refuse("only RSA keys decrypt")
	}
	return Decrypter{k}, nil
}

// Decrypt is [Decrypter.DecryptContext] within Timeout. The reader is not
// used.
func (k Decrypter) Decrypt(_ io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	ctx, cancel := k.limited()
	defer cancel()
	return k.DecryptContext(ctx, ciphertext, opts)
}

// DecryptContext decrypts what was encrypted with the public key: RSAES-PKCS1
// v1.5 when opts is nil or an *rsa.PKCS1v15DecryptOptions, OAEP when it is an
// *rsa.OAEPOptions with SHA-1 or SHA-256, the same hash in MGF1, and no label,
// since vaults offer nothing else.
//
// With a SessionKeyLen, a ciphertext that does not decrypt to that many bytes
// gives as many random ones and no error, against Bleichenbacher's attack. How
// long the vault takes over it is not in this package's hands.
//
// It fails with CodeAlgorithmNotFitting for anything else, and otherwise as
// [Client.Resolve] and [Client.Decrypt] do.
func (k Decrypter) DecryptContext(ctx context.Context, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	switch opts := opts.(type) {
	case nil:
		return k.decrypt(ctx, schema.RSA15, ciphertext)
	case *rsa.PKCS1v15DecryptOptions:
		if opts != nil && opts.SessionKeyLen > 0 {
			return k.sessionKey(ctx, ciphertext, opts.SessionKeyLen)
		}
		return k.decrypt(ctx, schema.RSA15, ciphertext)
	case *rsa.OAEPOptions:
		algorithm, err := k.oaep(opts)
		if err != nil {
			return nil, err
		}
		return k.decrypt(ctx, algorithm, ciphertext)
	}
	return nil, k.refuse(fmt.Sprintf("options of type %T are not known", opts))
}

// oaep finds the vault's algorithm for the options of crypto/rsa.
func (k Decrypter) oaep(opts *rsa.OAEPOptions) (schema.Algorithm, error) {
	switch {
	case opts == nil:
		return "", k.refuse("the OAEP options are a nil pointer")
	case len(opts.Label) > 0:
		return "", k.refuse("the vault knows no OAEP label")
	case opts.MGFHash != 0 && opts.MGFHash != opts.Hash:
		return "", k.refuse(fmt.Sprintf("the vault uses one hash for OAEP and its mask, and not %s and %s", opts.Hash, opts.MGFHash))
	case opts.Hash == crypto.SHA1:
		return schema.RSAOAEP, nil
	case opts.Hash == crypto.SHA256:
		return schema.RSAOAEP256, nil
	}
	return "", k.refuse("the vault knows OAEP with SHA-1 and SHA-256, and not with " + opts.Hash.String())
}

func (k Decrypter) decrypt(ctx context.Context, algorithm schema.Algorithm, ciphertext []byte) ([]byte, error) {
	key, err := k.client.Resolve(ctx, k.ref)
	if err != nil {
		return nil, err
	}
	return k.client.Decrypt(ctx, key, algorithm, signer.Sealed{Ciphertext: ciphertext})
}

// sessionKey decrypts a key of n bytes, or makes one up (RFC 3218, section
// 2.3.2).
func (k Decrypter) sessionKey(ctx context.Context, ciphertext []byte, n int) ([]byte, error) {
	made := make([]byte, n)
	rand.Read(made)
	found, err := k.decrypt(ctx, schema.RSA15, ciphertext)
	if err != nil && signer.AsError(err).Code != schema.CodeVaultRejected {
		return nil, err
	}
	if len(found) == n {
		subtle.ConstantTimeCopy(1, made, found)
	}
	return made, nil
}
