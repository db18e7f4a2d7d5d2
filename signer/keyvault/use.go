package keyvault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// use is one operation with one key that has passed every check that needs no
// vault.
type use struct {
	key       signer.Key
	id        keyID
	operation schema.Operation
	algorithm schema.Algorithm
}

// use checks what can be checked here, in the order of [signer.Check].
func (c *Client) use(key signer.Key, operation schema.Operation, algorithm schema.Algorithm, in signer.Input) (use, error) {
	if err := signer.Check(key, operation, algorithm, in); err != nil {
		return use{}, err
	}
	id, err := c.gate.kid(key.KID)
	if err != nil {
		return use{}, &signer.Error{Code: schema.CodeKeyNotFound, Message: err.Error()}
	}
	return use{key, id, operation, algorithm}, nil
}

// here counts a use that needs no vault, unless ctx has ended.
func (c *Client) here(ctx context.Context, u use) error {
	if ended := ctx.Err(); ended != nil {
		return u.task(nil, nil).interrupted(nil, 0, ended)
	}
	c.counters.save(ctx, u.operation)
	return nil
}

// task is the use as something that the vault is asked to do.
func (u use) task(v *vault, call func(ctx context.Context) error) task {
	return task{operation: u.operation, id: u.id, allowed: u.key.Operations, class: classOf(u.key), vault: v, call: call}
}

// perform finds the vault and asks it. After a refusal the next Resolve of the key
// asks the vault again.
func (c *Client) perform(ctx context.Context, u use, call func(ctx context.Context, v *vault) error) error {
	v, err := c.vault(u.id.vault)
	if err != nil {
		return &signer.Error{Code: schema.CodeForbidden, Message: u.task(nil, nil).subject(), Err: err}
	}
	err = c.do(ctx, u.task(v, func(ctx context.Context) error { return call(ctx, v) }))
	if err != nil {
		c.reconsider(u.key, err)
	}
	return err
}

// result is what the vault answers to every operation but verify.
type result = azkeys.KeyOperationResult

// ask has the vault do u. Its answer is returned only if it names the version
// that was asked, repeats no other algorithm, and passes check.
func (c *Client) ask(ctx context.Context, u use, call func(ctx context.Context, v *vault) (result, error), check func(result) error) (result, error) {
	var accepted result
	err := c.perform(ctx, u, func(ctx context.Context, v *vault) error {
		var raw *http.Response
		got, err := call(policy.WithCaptureResponse(ctx, &raw), v)
		if err != nil {
			return err
		}
		if err = c.inspect(u, got.KID, raw); err == nil {
			err = check(got)
		}
		if err != nil {
			return u.tampered(err)
		}
		accepted = got
		return nil
	})
	return accepted, err
}

// inspect compares the version and the algorithm of an answer with what was
// asked. A Managed HSM repeats the algorithm; a vault does not, and the SDK
// does not read it.
func (c *Client) inspect(u use, kid *azkeys.ID, raw *http.Response) error {
	if text := string(value(kid)); text != u.key.KID { // it may be spelled in another way
		if got, err := c.gate.kid(text); err != nil || !got.same(u.id) {
			return errors.New("the answer names the key " + clip(text, 200))
		}
	}
	if repeated := repeatedAlgorithm(raw); repeated != nil && *repeated != string(u.algorithm) {
		return errors.New("the answer names the algorithm " + clip(*repeated, 32))
	}
	return nil
}

// repeatedAlgorithm returns the algorithm that an answer names, or nil. Most
// name none, and are not read twice.
func repeatedAlgorithm(raw *http.Response) *string {
	if raw == nil {
		return nil
	}
	body, err := runtime.Payload(raw)
	if err != nil || !bytes.Contains(body, []byte(`"alg"`)) {
		return nil
	}
	var repeated struct {
		Alg *string `json:"alg"`
	}
	_ = json.Unmarshal(body, &repeated) // the SDK has read it as JSON
	return repeated.Alg
}

// tampered is an answer that must not leave.
func (u use) tampered(cause error) *signer.Error {
	what := "answer"
	if u.operation == schema.Sign {
		what = "signature"
	}
	return &signer.Error{
		Code:    schema.CodeIntegrity,
		Message: u.task(nil, nil).subject() + ": the vault's " + what + " failed the check and was thrown away; find out what answers in the vault's place before going on",
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
