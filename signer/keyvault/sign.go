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
	name := azkeys.SignatureAlgorithm(algorithm)
	params := azkeys.SignParameters{Algorithm: &name, Value: digest}
	var signature []byte
	err = c.do(ctx, task{what: "sign with", id: id, vault: v, call: func(ctx context.Context) error {
		answer, err := v.Sign(ctx, id.name, id.version, params, nil)
		if err != nil {
			return err
		}
		if err := c.inspect(id, answer.KID); err != nil {
			return err
		}
		if err := signer.Verify(key.Public, algorithm, digest, answer.Result); err != nil {
			return tampered(id, err)
		}
		signature = answer.Result
		return nil
	}})
	if err != nil {
		c.reconsider(key, err)
		return nil, err
	}
	return signature, nil
}

// inspect compares the version that answered with the one that was asked.
func (c *Client) inspect(asked keyID, kid *azkeys.ID) error {
	text := string(value(kid))
	if got, err := c.gate.kid(text); err != nil || !got.same(asked) {
		return tampered(asked, errors.New("the answer names the key "+clip(text, 200)))
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
