package keyvault

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Sign returns the signature of digest in JOSE form, made by the version that
// key names and verified with key.Public. A key that cannot sign digest costs
// no call. An answer that names another version, or a signature that does not
// verify, is CodeIntegrity: it is logged as an error, thrown away, and not
// asked for again. After a refusal the next Resolve of the key asks the vault.
func (c *Client) Sign(ctx context.Context, key signer.Key, algorithm schema.Algorithm, digest []byte) ([]byte, error) {
	if err := signer.Check(key, algorithm, digest, time.Now()); err != nil {
		return nil, err
	}
	id, err := c.gate.kid(key.KID)
	if err != nil {
		return nil, &signer.Error{Code: schema.CodeKeyNotFound, Message: err.Error()}
	}
	v, err := c.vault(id.vault)
	if err != nil {
		return nil, &signer.Error{Code: schema.CodeForbidden, Message: "sign with " + id.String(), Err: err}
	}
	var signature []byte
	err = c.do(ctx, task{what: "sign with", id: id, vault: v, call: func(ctx context.Context) error {
		name := azkeys.SignatureAlgorithm(algorithm)
		answer, err := v.Sign(ctx, id.name, id.version, azkeys.SignParameters{Algorithm: &name, Value: digest}, nil)
		if err == nil {
			err = c.inspect(id, answer.KeyOperationResult)
		}
		if err == nil {
			err = verify(id, key, algorithm, digest, answer.Result)
		}
		if err == nil {
			signature = answer.Result
		}
		return err
	}})
	if err != nil {
		c.reconsider(key, err)
		return nil, err
	}
	return signature, nil
}

// inspect compares the version that answered with the one that was asked.
func (c *Client) inspect(id keyID, answer azkeys.KeyOperationResult) error {
	got, err := c.gate.kid(string(value(answer.KID)))
	if err == nil && got.same(id) {
		return nil
	}
	return tampered(id, errors.New("the answer names the key "+clip(string(value(answer.KID)), 200)))
}

func verify(id keyID, key signer.Key, algorithm schema.Algorithm, digest, signature []byte) error {
	if err := signer.Verify(key.Public, algorithm, digest, signature); err != nil {
		return tampered(id, err)
	}
	return nil
}

// tampered is an answer to Sign that must not leave.
func tampered(id keyID, cause error) *signer.Error {
	return &signer.Error{
		Code:    schema.CodeIntegrity,
		Message: "sign with " + id.String() + ": the vault's signature failed the check and was thrown away; find out what answers in the vault's place before signing on",
		Err:     cause,
	}
}

// reconsider lets go of what is known about key when the vault refused it.
func (c *Client) reconsider(key signer.Key, err error) {
	e := signer.AsError(err)
	switch e.Code {
	case schema.CodeForbidden, schema.CodeKeyUnusable, schema.CodeKeyNotFound:
		c.keys.doubt(key.KID, time.Now())
	}
}
