package worker

import (
	"context"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// task is one item of a job, and the key to do it with.
type task struct {
	schema.Job
	key  signer.Key
	item schema.Item
}

// operate does the operation of t and puts what it made into out.
func operate(ctx context.Context, keys signer.Keys, t task, out *schema.ItemResult) (err error) {
	switch t.Operation {
	case schema.Sign:
		out.Signature, err = t.sign(ctx, keys)
	case schema.Verify:
		out.Valid, err = t.verify(ctx, keys)
	case schema.Encrypt:
		err = t.encrypt(ctx, keys, out)
	case schema.Decrypt:
		sealed := signer.Sealed{Ciphertext: t.item.Ciphertext, IV: t.item.IV, AAD: t.item.AAD, Tag: t.item.Tag}
		out.Plaintext, err = keys.Decrypt(ctx, t.key, t.Algorithm, sealed)
	case schema.WrapKey:
		out.Ciphertext, err = keys.Wrap(ctx, t.key, t.Algorithm, t.item.Plaintext)
	case schema.UnwrapKey:
		out.Plaintext, err = keys.Unwrap(ctx, t.key, t.Algorithm, t.item.Ciphertext)
	case schema.GetPublicKey:
		out.PublicKey, err = t.publicKey()
	}
	return err
}

// der reports whether signatures have another form in the job than in signer.
func (t task) der() bool { return t.Format == schema.DER && t.Algorithm.Family() == schema.ECDSA }

func (t task) sign(ctx context.Context, keys signer.Signer) ([]byte, error) {
	signature, err := keys.Sign(ctx, t.key, t.Algorithm, t.item.Digest)
	if err != nil || !t.der() {
		return signature, err
	}
	return signer.DER(t.Algorithm, signature)
}

// verify reports whether the item's signature is right. What is no DER at all
// is as wrong as any other; the key is checked all the same.
func (t task) verify(ctx context.Context, keys signer.Verifier) (*bool, error) {
	signature := t.item.Signature
	if t.der() {
		signature, _ = signer.JOSE(t.Algorithm, signature)
	}
	valid, err := keys.Verify(ctx, t.key, t.Algorithm, t.item.Digest, signature)
	if err != nil {
		return nil, err
	}
	return &valid, nil
}

func (t task) encrypt(ctx context.Context, keys signer.Encrypter, out *schema.ItemResult) error {
	sealed, err := keys.Encrypt(ctx, t.key, t.Algorithm, signer.Plain{Text: t.item.Plaintext, IV: t.item.IV, AAD: t.item.AAD})
	out.Ciphertext, out.IV, out.Tag = sealed.Ciphertext, sealed.IV, sealed.Tag
	return err
}

func (t task) publicKey() (*schema.PublicKey, error) {
	if err := signer.Check(t.key, schema.GetPublicKey, "", signer.Input{}); err != nil {
		return nil, err
	}
	jwk, err := signer.MarshalJWK(t.key)
	if err != nil {
		return nil, err
	}
	pem, err := signer.MarshalPEM(t.key.Public)
	return &schema.PublicKey{JWK: jwk, PEM: string(pem)}, err
}
