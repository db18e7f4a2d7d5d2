package signertest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

func (h Harness) resolve(t *testing.T, ref signer.Ref) signer.Key {
	t.Helper()
	key, err := h.Keys.Resolve(t.Context(), ref)
	if err != nil {
		t.Fatalf("Resolve(%+v): %v", ref, err)
	}
	return key
}

// signs returns a signature that the judge has accepted.
func (h Harness) signs(t *testing.T, r request) []byte {
	t.Helper()
	before := slices.Clone(r.digest)
	sig, err := h.Keys.Sign(t.Context(), r.key, r.algorithm, r.digest)
	if err == nil && r.key.Symmetric {
		err = h.repeats(t, r, sig)
	} else if err == nil {
		err = judge(r.key.Public, r.algorithm, before, sig)
	}
	if err != nil || !bytes.Equal(before, r.digest) {
		t.Errorf("%s with %s: %v", r.algorithm, r.key.KID, err)
	}
	return sig
}

// repeats fails unless an HMAC is as long as its hash and comes out the same
// again. Nobody outside the vault can say more about it.
func (h Harness) repeats(t *testing.T, r request, mac []byte) error {
	again, err := h.Keys.Sign(t.Context(), r.key, r.algorithm, r.digest)
	if err == nil && (len(mac) != r.algorithm.Hash().Size() || !bytes.Equal(mac, again)) {
		err = fmt.Errorf("the HMAC is %x, and then %x", mac, again)
	}
	return err
}

// request is what a Signer is asked for.
type request struct {
	key       signer.Key
	algorithm schema.Algorithm
	digest    []byte
}

// hello is a request that is right if key is a usable P-256 key.
func hello(key signer.Key) request {
	return request{key, schema.ES256, digestOf(schema.ES256, "hello")}
}

// refuses fails unless Sign returns the code and no signature.
func (h Harness) refuses(t *testing.T, r request, code schema.Code) {
	t.Helper()
	sig, err := h.Keys.Sign(t.Context(), r.key, r.algorithm, r.digest)
	if sig != nil {
		t.Errorf("%s with %s returned a signature of %d bytes, want none", r.algorithm, r.key.KID, len(sig))
	}
	wantCode(t, err, code)
}

// wantCode fails unless err is a signer.Error with the code and a message.
func wantCode(t *testing.T, err error, code schema.Code) {
	t.Helper()
	e, ok := errors.AsType[*signer.Error](err)
	if !ok || e.Code != code || e.Message == "" {
		t.Errorf("the error is %v, want one with code %s", err, code)
	}
}

func digestOf(algorithm schema.Algorithm, text string) []byte {
	hash := algorithm.Hash().New()
	hash.Write([]byte(text))
	return hash.Sum(nil)
}
