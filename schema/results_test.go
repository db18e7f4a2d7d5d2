package schema

import (
	"encoding/pem"
	"strings"
)

// resultOf returns the largest result of j in which the items are done that
// done names.
func resultOf(j Job, done func(i int) bool) Result {
	kid := "https://" + strings.Repeat("v", MaxKID-len("https://"))
	r := Result{ID: j.ID, KID: kid, TraceID: strings.Repeat("a", 32), Labels: j.Labels}
	for i := range j.Items {
		out := largest(&j, &j.Items[i])
		if !done(i) {
			out = ItemResult{Error: &Error{Code: Code(strings.Repeat("c", MaxCode)), Message: strings.Repeat(`"ü\`+"\n", i%700)}}
		}
		out.ID = j.Items[i].ID
		r.Items = append(r.Items, out)
	}
	r.Status = StatusOf(r.Items)
	return r
}

// largest returns the longest outcome that the operation can have, by what
// the algorithms are, not by what the code says.
func largest(j *Job, item *Item) ItemResult {
	n := len(item.Plaintext) + len(item.Ciphertext)
	name := string(j.Algorithm)
	rsa, wrap := strings.HasPrefix(name, "RSA"), strings.HasSuffix(name, "KW")
	switch j.Operation {
	case Sign:
		return ItemResult{Signature: make([]byte, j.Algorithm.MaxSignature(j.Format))}
	case Verify:
		return ItemResult{Valid: new(bool)}
	case GetPublicKey:
		return ItemResult{PublicKey: largestKey()}
	case Encrypt, WrapKey:
		switch {
		case rsa:
			return ItemResult{Ciphertext: make([]byte, 512)}
		case wrap:
			return ItemResult{Ciphertext: make([]byte, n+8)}
		case strings.HasSuffix(name, "PAD"):
			return ItemResult{Ciphertext: make([]byte, n+16-n%16), IV: make([]byte, 16)}
		case strings.HasSuffix(name, "CBC"):
			return ItemResult{Ciphertext: make([]byte, n), IV: make([]byte, 16)}
		}
		return ItemResult{Ciphertext: make([]byte, n), IV: make([]byte, 12), Tag: make([]byte, 16)}
	}
	switch {
	case rsa:
		n = map[string]int{"RSA1_5": 501, "RSA-OAEP": 470, "RSA-OAEP-256": 446}[name]
	case wrap:
		n -= 8
	case strings.HasSuffix(name, "PAD"):
		n--
	}
	return ItemResult{Plaintext: make(Secret, n)}
}

// largestKey returns a public key at both of its bounds.
func largestKey() *PublicKey {
	const frame = `{"kty":""}`
	return &PublicKey{JWK: []byte(`{"kty":"` + strings.Repeat("k", MaxJWK-len(frame)) + `"}`), PEM: pemOf(717)}
}

// pemOf returns n bytes as the PEM of a public key.
func pemOf(n int) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: make([]byte, n)}))
}
