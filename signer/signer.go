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
	Public     crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey, or *secp256k1.PublicKey (decred) for P-256K
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

// Signer signs digests.
type Signer interface {
	// Sign returns the signature of digest in JOSE form, verified with
	// key.Public. Before it asks the vault it refuses what the vault would
	// refuse: an algorithm that does not fit the key or the digest, a key
	// that is disabled, outside its dates, or not made for signing.
	//
	// It retries throttling and passing failures inside, until ctx or the
	// configured attempts end; the error says what the last attempt met, and
	// wraps ctx.Err() when it was ctx that ended. It never returns a
	// signature together with an error. A signature that does not verify is
	// CodeIntegrity.
	Sign(ctx context.Context, key Key, algorithm schema.Algorithm, digest []byte) ([]byte, error)
}
