package keyvault

import (
	"context"
	"crypto"
	"errors"
	"io"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// PrivateKey is one version of a key in a vault in the shape of the standard
// library: a crypto.Signer and a crypto.MessageSigner. For a crypto.Decrypter
// see [PrivateKey.Decrypter]. Get one from [Client.PrivateKey]. All methods may be
// called from any goroutine; Timeout must be set before the first call.
//
// The key's attributes are looked up for each use, which costs a call once in
// Config.CacheFor.
type PrivateKey struct {
	KID string // the full versioned identifier, for instance for the kid of a JWT

	// Timeout ends Sign, SignMessage and Decrypter.Decrypt, retries included, since the
	// standard library's interfaces know no context. Zero: 1 minute.
	// SignContext and DecryptContext follow their context alone.
	Timeout time.Duration

	client *Client
	ref    signer.Ref // of the version
	public crypto.PublicKey
}

var _ crypto.MessageSigner = (*PrivateKey)(nil)

// PrivateKey resolves ref and returns its version for use with the standard
// library. A rotation later on does not change it. It fails as Resolve does,
// and with CodeAlgorithmNotFitting for a symmetric key.
func (c *Client) PrivateKey(ctx context.Context, ref signer.Ref) (*PrivateKey, error) {
	key, err := c.Resolve(ctx, ref)
	if err == nil {
		err = signer.Check(key, schema.GetPublicKey, "", signer.Input{})
	}
	if err != nil {
		return nil, err
	}
	_, ref.Version = cutLast(key.KID)
	return &PrivateKey{KID: key.KID, client: c, ref: ref, public: key.Public}, nil
}

// Public returns an *rsa.PublicKey, an *ecdsa.PublicKey, or, for P-256K, a
// *secp256k1.PublicKey (decred), which crypto/x509 does not know.
func (k *PrivateKey) Public() crypto.PublicKey { return k.public }

// Sign is [PrivateKey.SignContext] within Timeout. The reader is not used: the
// vault has its own random numbers.
func (k *PrivateKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	ctx, cancel := k.limited()
	defer cancel()
	return k.SignContext(ctx, digest, opts)
}

// SignMessage hashes msg here with the hash of opts, or with the one that
// belongs to the key when opts is nil (SHA-256 for RSA), and signs the digest
// as Sign does. The message does not travel.
func (k *PrivateKey) SignMessage(random io.Reader, msg []byte, opts crypto.SignerOpts) ([]byte, error) {
	hash := k.hash()
	if opts != nil {
		hash = opts.HashFunc()
	}
	if !supported(hash) {
		return nil, k.refuse("a message can be hashed with SHA-256, SHA-384 or SHA-512, and not with " + hash.String())
	}
	h := hash.New()
	h.Write(msg)
	return k.Sign(random, h.Sum(nil), opts)
}

// SignContext returns a signature of digest in the form of the standard
// library: ASN.1 for EC (RFC 3279, section 2.2.3), the bare number for RSA. It
// has been verified with the public key.
//
// The hash of opts must be SHA-256, SHA-384 or SHA-512, and digest as long as
// it. With nil opts the length of digest tells the hash. RSA uses PKCS #1 v1.5,
// or PSS when opts is an *rsa.PSSOptions, with a salt as long as the hash,
// which is the only one that vaults make: PSSSaltLengthAuto,
// PSSSaltLengthEqualsHash and that length are taken, and all others refused.
// For EC any of the three hashes goes with any curve, as TLS 1.2 wants: a
// digest is cut or filled up on the left to the curve's own length, which does
// not change the number that is signed (FIPS 186-5, section 6.4.1).
//
// Other failures are those of [Client.Resolve] and [Client.Sign].
func (k *PrivateKey) SignContext(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	algorithm, digest, err := k.choose(digest, opts)
	if err != nil {
		return nil, err
	}
	key, err := k.client.Resolve(ctx, k.ref)
	if err != nil {
		return nil, err
	}
	signature, err := k.client.Sign(ctx, key, algorithm, digest)
	if err != nil {
		return nil, err
	}
	return signer.DER(algorithm, signature)
}

// limited is the context of the methods that are given none.
func (k *PrivateKey) limited() (context.Context, context.CancelFunc) {
	timeout := k.Timeout
	orElse(&timeout, time.Minute)
	return context.WithTimeout(context.Background(), timeout)
}

// refuse is a use that the vault does not offer.
func (k *PrivateKey) refuse(why string) error {
	return &signer.Error{Code: schema.CodeAlgorithmNotFitting, Message: k.KID + ": " + why, Err: errors.ErrUnsupported}
}
