package campaign

import (
	"context"
	"crypto"
	"fmt"
	"strconv"

	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// judge turns the reply to a job into one outcome for each of its documents.
// It trusts nothing: a signature counts once it has verified here.
func (c *signing) judge(ctx context.Context, id string, documents []files.Document, body []byte) []outcome {
	result, err := schema.DecodeResult(body)
	if err == nil && result.ID != "" && result.ID != id {
		err = fmt.Errorf("it is the result of %q", result.ID)
	}
	switch {
	case err != nil:
		return c.failAll(documents, manifest.Failure{Code: manifest.BadReply, Message: "the reply cannot be used: " + err.Error(), Retryable: true})
	case result.Error != nil:
		return c.failAll(documents, refusal(result.Error))
	}
	var public crypto.PublicKey
	if result.KID != "" {
		if public, err = c.Keys.public(ctx, result.KID); err != nil {
			return c.failAll(documents, unverifiable(err))
		}
	}
	items := make(map[string]schema.ItemResult, len(result.Items))
	for _, item := range result.Items {
		items[item.ID] = item
	}
	outcomes := make([]outcome, 0, len(documents))
	for i, d := range documents {
		item, answered := items[strconv.Itoa(i)]
		if !answered {
			outcomes = append(outcomes, c.failure(d, manifest.Failure{Code: manifest.BadReply, Message: "the reply leaves the file out", Retryable: true}))
			continue
		}
		outcomes = append(outcomes, c.judgeItem(d, item, signatory{result.KID, public}))
	}
	return outcomes
}

// signatory is a version of a key with its public half.
type signatory struct {
	kid    string
	public crypto.PublicKey // nil when the reply names no key
}

// judgeItem verifies one signature and puts it into the form of files.
func (c *signing) judgeItem(d files.Document, item schema.ItemResult, by signatory) outcome {
	if item.Error != nil {
		return c.failure(d, refusal(item.Error))
	}
	err := fmt.Errorf("the reply does not name the key")
	if by.public != nil {
		err = signer.Verify(by.public, c.Algorithm, d.Digest, item.Signature)
	}
	if err != nil {
		return c.failure(d, unverifiable(err))
	}
	form, err := signer.DER(c.Algorithm, item.Signature)
	if err != nil {
		return c.failure(d, unverifiable(err))
	}
	o := c.outcome(d)
	o.Status, o.KID, o.content, o.by = manifest.Signed, by.kid, form, by
	return o
}

// unverifiable is the error of a signature that was thrown away here.
func unverifiable(err error) manifest.Failure {
	e := manifest.Failure{Code: string(schema.CodeIntegrity), Message: "the signature was thrown away: " + err.Error()}
	if cause := signer.AsError(err); cause.Code != schema.CodeInternal {
		e.Code, e.Retryable = string(cause.Code), cause.Retryable()
	}
	return e
}

func (c *signing) failAll(documents []files.Document, e manifest.Failure) []outcome {
	outcomes := make([]outcome, 0, len(documents))
	for _, d := range documents {
		outcomes = append(outcomes, c.failure(d, e))
	}
	return outcomes
}
