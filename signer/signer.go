package signer

import (
	"context"
	"crypto"
	"time"

	"github.com/signmill/signmill/schema"
)

// Ref names a key before its version is known. It comes from a policy, never
// from a job.
type Ref struct {
	Vault   string // base URL of the vault or Managed HSM, for instance https://example.vault.azure.net
	Name    string // the key's name in the vault
	Version string // 32 hex digits; "" means the latest at the time of Resolve
}

// Key is one version of a key, with what must be known to use it and to check
// its signatures. A Key's KID and Public never change; its attributes are
// those of the moment when it was resolved.
type Key struct {
	KID        string           // full versioned identifier: {vault}/keys/{name}/{version}
	Public     crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey, or *secp256k1.PublicKey (decred) for P-256K; nil for a symmetric key
	Symmetric  bool             // an AES or HMAC key, which has no public half; its size is not known here
	HSM        bool             // the private half lives in a hardware module
	Operations []string         // key_ops; nil means that the vault did not say
	Enabled    bool
	NotBefore  time.Time // zero: no limit
	Expires    time.Time // zero: no limit
}

// Resolver finds keys.
type Resolver interface {
	// Resolve returns the version of ref to use from now on. Results may be
	// minutes old. It fails with CodeKeyNotFound, CodeForbidden,
	// CodeKeyUnusable (disabled), CodeAlgorithmNotFitting (a type of key that
	// cannot sign), CodeIntegrity (a version whose public key has changed),
	// CodeThrottled or CodeUnavailable.
	Resolve(ctx context.Context, ref Ref) (Key, error)
}

// Keys is everything that can be done with keys. Each part may also be had
// alone.
//
// For all of them: before the vault is asked, they refuse what it would
// refuse, with CodeAlgorithmNotFitting (the algorithm does not suit the
// operation, the key or the input; the message names the limit) or
// CodeKeyUnusable (disabled, key_ops, dates). They retry throttling and
// passing failures inside, until ctx or the configured attempts end; the error
// says what the last attempt met, and wraps ctx.Err() when it was ctx that
// ended. They never return a result together with an error. No error text
// holds a plaintext. An answer of the vault that names another key, another
// version or another algorithm is CodeIntegrity.
type Keys interface {
	Resolver
	Signer
	Verifier
	Encrypter
	Wrapper
}

// Signer signs digests.
type Signer interface {
	// Sign returns the signature of digest in JOSE form, verified with
	// key.Public, or, for HMAC, by a second call. A signature that does not
	// verify is CodeIntegrity.
	Sign(ctx context.Context, key Key, algorithm schema.Algorithm, digest []byte) ([]byte, error)
}

// Verifier checks signatures.
type Verifier interface {
	// Verify reports whether signature, in JOSE form, belongs to digest. With
	// a public key it runs here and costs no call; for HMAC the vault is
	// asked. A wrong signature, of whatever length, is false and no error.
	// The key's dates do not count.
	Verify(ctx context.Context, key Key, algorithm schema.Algorithm, digest, signature []byte) (bool, error)
}

// Encrypter encrypts and decrypts.
type Encrypter interface {
	// Encrypt runs here for RSA and costs no call; for AES the vault is
	// asked. AES-GCM takes no iv: the vault makes it.
	Encrypt(ctx context.Context, key Key, algorithm schema.Algorithm, plain Plain) (Sealed, error)

	// Decrypt always asks the vault. What does not decrypt is
	// CodeVaultRejected, without a word on why. The key's dates do not count.
	Decrypt(ctx context.Context, key Key, algorithm schema.Algorithm, sealed Sealed) (schema.Secret, error)
}

// Wrapper encrypts and decrypts keys. For RSA it is the same as Encrypter,
// under other key_ops and other rights.
type Wrapper interface {
	// Wrap runs here for RSA and costs no call; for AES the vault is asked.
	Wrap(ctx context.Context, key Key, algorithm schema.Algorithm, secret schema.Secret) ([]byte, error)

	// Unwrap always asks the vault. What does not unwrap is
	// CodeVaultRejected, without a word on why. The key's dates do not count.
	Unwrap(ctx context.Context, key Key, algorithm schema.Algorithm, wrapped []byte) (schema.Secret, error)
}

// Plain is what Encrypt takes.
type Plain struct {
	Text schema.Secret // for RSA as long as the modulus allows; for AES-CBC without padding whole blocks
	IV   []byte        // 16 bytes for AES-CBC; else nil
	AAD  []byte        // for AES-GCM; nil: none
}

// Sealed is what Encrypt makes and Decrypt takes.
type Sealed struct {
	Ciphertext []byte
	IV         []byte // of AES; nil for RSA
	AAD        []byte // of AES-GCM; nil: none
	Tag        []byte // of AES-GCM, 16 bytes; else nil
}
