package worker_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// kinds lists keys of every type and size.
func kinds() []localvault.KeySpec {
	return []localvault.KeySpec{
		{Name: "rsa2048", Type: "RSA"}, {Name: "rsa3072", Type: "RSA-HSM", Size: 3072}, {Name: "rsa4096", Type: "RSA", Size: 4096},
		{Name: "p256", Type: "EC-HSM"}, {Name: "p384", Type: "EC", Curve: "P-384"},
		{Name: "p521", Type: "EC-HSM", Curve: "P-521"}, {Name: "k1", Type: "EC", Curve: "P-256K"},
		{Name: "oct128", Type: "oct-HSM", Size: 128}, {Name: "oct192", Type: "oct-HSM", Size: 192}, {Name: "oct256", Type: "oct-HSM", Size: 256},
	}
}

// suits is the documentation's table of which key an algorithm needs.
func suits(key localvault.KeySpec, a schema.Algorithm) bool {
	switch name := string(a); name[:2] {
	case "RS", "PS":
		return strings.HasPrefix(key.Type, "RSA")
	case "ES":
		return key.Name == map[schema.Algorithm]string{schema.ES256: "p256", schema.ES384: "p384", schema.ES512: "p521", schema.ES256K: "k1"}[a]
	case "HS":
		return key.Type == "oct-HSM"
	default: // A128GCM and so on
		return key.Type == "oct-HSM" && name[1:4] == fmt.Sprint(key.Size)
	}
}

// TestEveryOperation does every operation with every algorithm and every kind
// of key: what belongs together works and is undone by its counterpart, and
// everything else is refused with a reason and without a call.
func TestEveryOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t, kinds()...)
	r.start()
	for _, key := range kinds() {
		for _, first := range []schema.Operation{schema.Sign, schema.Encrypt, schema.WrapKey} {
			for _, a := range first.Algorithms() {
				if suits(key, a) {
					r.thereAndBack(key.Name, first, a)
				} else {
					r.refusesPair(key.Name, first, a)
				}
			}
		}
		r.handsOut(key)
	}
	r.empty(servicebus.DeadLetters("jobs"))
}

// ask sends a job and returns the results of its items.
func (r *rig) ask(key string, o schema.Operation, a schema.Algorithm, items ...schema.Item) schema.Result {
	r.t.Helper()
	j := schema.Job{ID: strings.Join([]string{key, string(o), string(a), rand.Text()}, " "), Operation: o, Key: key, Algorithm: a, Items: items}
	for i := range j.Items {
		j.Items[i].ID = fmt.Sprint(i)
	}
	r.submit(j)
	result, _ := r.reply()
	if result.ID != j.ID || len(result.Items) != len(items) {
		r.t.Fatalf("result of %q has id %q and %d items", j.ID, result.ID, len(result.Items))
	}
	return result
}

// inputs are one item that fits o and a, and what undoes o.
func inputs(o schema.Operation, a schema.Algorithm) (item schema.Item, back schema.Operation) {
	if o == schema.Sign {
		return schema.Item{Digest: bytes.Repeat([]byte{7}, a.Hash().Size())}, schema.Verify
	}
	item = schema.Item{Plaintext: []byte("0123456789abcdef0123456789abcdef")}
	switch a.Family() {
	case schema.AESCBC:
		item.IV = bytes.Repeat([]byte{5}, 16)
	case schema.AESGCM:
		item.AAD = []byte("header")
	}
	if o == schema.WrapKey {
		return item, schema.UnwrapKey
	}
	return item, schema.Decrypt
}

// thereAndBack does an operation and its counterpart.
func (r *rig) thereAndBack(key string, o schema.Operation, a schema.Algorithm) {
	r.t.Helper()
	item, back := inputs(o, a)
	did := r.ask(key, o, a, item)
	if did.Status != schema.Succeeded || !strings.HasPrefix(did.KID, vaultURL+"/keys/"+key+"/") {
		r.t.Errorf("%s %s %s: status %q, kid %q, %v", key, o, a, did.Status, did.KID, did.Items[0].Error)
		return
	}
	made := did.Items[0]
	if o == schema.Sign {
		item.Signature = made.Signature
		spoiled := item
		spoiled.Signature = append(bytes.Clone(made.Signature[:len(made.Signature)-1]), made.Signature[len(made.Signature)-1]^1)
		checked := r.ask(key, back, a, item, spoiled)
		if checked.Status != schema.Succeeded || !*checked.Items[0].Valid || *checked.Items[1].Valid {
			r.t.Errorf("%s %s %s: %+v", key, back, a, checked.Items)
		}
		return
	}
	undone := r.ask(key, back, a, schema.Item{Ciphertext: made.Ciphertext, IV: made.IV, AAD: item.AAD, Tag: made.Tag})
	if undone.Status != schema.Succeeded || !bytes.Equal(undone.Items[0].Plaintext, item.Plaintext) {
		r.t.Errorf("%s %s %s: status %q, %v", key, back, a, undone.Status, undone.Items[0].Error)
	}
}

// refusesPair asks for what key and algorithm cannot do.
func (r *rig) refusesPair(key string, o schema.Operation, a schema.Algorithm) {
	r.t.Helper()
	item, _ := inputs(o, a)
	result := r.ask(key, o, a, item)
	// Only the vault knows the size of a symmetric key.
	want := schema.CodeAlgorithmNotFitting
	if a.Symmetric() && strings.HasPrefix(key, "oct") {
		want = schema.CodeVaultRejected
	}
	if e := result.Items[0].Error; e == nil || e.Code != want || e.Retryable || !strings.Contains(e.Message, key) {
		r.t.Errorf("%s %s %s: %+v, want %s that names the key", key, o, a, e, want)
	}
}

// handsOut asks for the public half of a key.
func (r *rig) handsOut(key localvault.KeySpec) {
	r.t.Helper()
	result := r.ask(key.Name, schema.GetPublicKey, "", schema.Item{})
	item := result.Items[0]
	if key.Type == "oct-HSM" {
		if item.Error == nil || item.Error.Code != schema.CodeAlgorithmNotFitting {
			r.t.Errorf("%s: %+v, want a refusal", key.Name, item)
		}
		return
	}
	if item.Error != nil {
		r.t.Errorf("%s: %v", key.Name, item.Error)
		return
	}
	known, err := r.keys.Resolve(r.t.Context(), signer.Ref{Vault: vaultURL, Name: key.Name})
	r.must(err)
	pem, err := signer.MarshalPEM(known.Public)
	r.must(err)
	if item.PublicKey.PEM != string(pem) || !strings.Contains(string(item.PublicKey.JWK), `"kid":"`+result.KID+`"`) {
		r.t.Errorf("%s: %s %s", key.Name, item.PublicKey.PEM, item.PublicKey.JWK)
	}
}
