package schema

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// doneResult has an item of each outcome.
const doneResult = `{"schema":"signmill.result/v1","id":"job-1","status":"partial","kid":"https://v/keys/k/1","items":[` +
	`{"id":"0","signature":"AAAA"},{"id":"1","valid":true},{"id":"2","ciphertext":"BBBB"},` +
	`{"id":"3","ciphertext":"CCCC","iv":"DDDDDDDDDDDDDDDD","tag":"EEEEEEEEEEEEEEEEEEEEEA"},{"id":"4","plaintext":""},` +
	`{"id":"5","publicKey":{"jwk":{"kty":"EC","x":"[}\"","key_ops":["sign"],"n":null},"pem":"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}},` +
	`{"id":"6","error":{"code":"throttled","message":"wait","retryable":true}}]}`

// doneEdits are like edits, of doneResult.
func doneEdits() []edit {
	var list []edit
	add := func(name, old, change, field string) {
		list = append(list, edit{name, old, change, CodeInternal, field, false})
	}
	accepted := func(name, old, change, field string) {
		list = append(list, edit{name, old, change, CodeInternal, field, true})
	}
	add("nothing", `,"valid":true`, ``, "/items/1")
	add("signature and valid", `"valid":true`, `"valid":true,"signature":"AAAA"`, "/items/1")
	add("valid and error", `"error"`, `"valid":false,"error"`, "/items/6")
	add("plaintext and error", `"error"`, `"plaintext":"","error"`, "/items/6")
	add("plaintext and ciphertext", `"plaintext"`, `"ciphertext":"AAAA","plaintext"`, "/items/4")
	add("public key and signature", `"publicKey"`, `"signature":"AAAA","publicKey"`, "/items/5")
	add("null valid", `"valid":true`, `"valid":null`, "/items/1/valid")
	add("text valid", `"valid":true`, `"valid":"true"`, "/items/1/valid")
	add("number valid", `"valid":true`, `"valid":1`, "/items/1/valid")
	add("empty ciphertext", `BBBB`, ``, "/items/2/ciphertext")
	add("padded ciphertext", `BBBB`, `BB==`, "/items/2/ciphertext")
	add("loose ciphertext", `BBBB`, `BB`, "/items/2/ciphertext")
	add("number plaintext", `"plaintext":""`, `"plaintext":0`, "/items/4/plaintext")
	add("null plaintext", `"plaintext":""`, `"plaintext":null`, "/items/4/plaintext")
	add("standard plaintext", `"plaintext":""`, `"plaintext":"AA+/"`, "/items/4/plaintext")
	add("iv alone", `"ciphertext":"CCCC",`, ``, "/items/3")
	add("iv beside a signature", `"signature":"AAAA"`, `"signature":"AAAA","iv":"DDDDDDDDDDDDDDDD"`, "/items/0/iv")
	add("iv beside an error", `"error"`, `"iv":"DDDDDDDDDDDDDDDD","error"`, "/items/6/iv")
	add("tag without iv", `"iv":"DDDDDDDDDDDDDDDD",`, ``, "/items/3/tag")
	add("tag beside a plaintext", `"plaintext"`, `"tag":"EEEEEEEEEEEEEEEEEEEEEA","plaintext"`, "/items/4/tag")
	add("empty iv", `DDDDDDDDDDDDDDDD`, ``, "/items/3/iv")
	add("iv of 13 bytes", `DDDDDDDDDDDDDDDD`, `DDDDDDDDDDDDDDDDAA`, "/items/3/iv")
	add("empty tag", `EEEEEEEEEEEEEEEEEEEEEA`, ``, "/items/3/tag")
	add("tag of 15 bytes", `EEEEEEEEEEEEEEEEEEEEEA`, `EEEEEEEEEEEEEEEEEEEE`, "/items/3/tag")
	add("jwk text", `{"kty":"EC","x":"[}\"","key_ops":["sign"],"n":null}`, `"EC"`, "/items/5/publicKey/jwk")
	add("jwk array", `{"kty":"EC","x":"[}\"","key_ops":["sign"],"n":null}`, `[]`, "/items/5/publicKey/jwk")
	add("jwk null", `{"kty":"EC","x":"[}\"","key_ops":["sign"],"n":null}`, `null`, "/items/5/publicKey/jwk")
	add("jwk empty", `{"kty":"EC","x":"[}\"","key_ops":["sign"],"n":null}`, `{}`, "/items/5/publicKey/jwk")
	add("no kty", `"kty":"EC",`, ``, "/items/5/publicKey/jwk")
	add("empty kty", `"EC"`, `""`, "/items/5/publicKey/jwk")
	add("number kty", `"EC"`, `1`, "/items/5/publicKey/jwk")
	for _, name := range secretMembers() {
		add("private "+name, `"x":`, `"`+name+`":`, "/items/5/publicKey/jwk")
	}
	add("escaped private d", `"x":`, `"\u0064":`, "/items/5/publicKey/jwk")
	accepted("member twice", `"x":`, `"kty":`, "/items/5/publicKey/jwk")
	accepted("long jwk", `[}\"`, strings.Repeat("x", MaxJWK), "/items/5/publicKey/jwk")
	add("no jwk", `"jwk":{"kty":"EC","x":"[}\"","key_ops":["sign"],"n":null},`, ``, "/items/5/publicKey/jwk")
	add("no pem", `,"pem":"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"`, ``, "/items/5/publicKey/pem")
	add("unknown form", `"pem"`, `"der":"AAAA","pem"`, "/items/5/publicKey/der")
	add("public key text", `"publicKey":{`, `"publicKey":"","x":{`, "/items/5/publicKey")
	add("empty pem", `-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n`, ``, "/items/5/publicKey/pem")
	add("private pem", `-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n`, `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`, "/items/5/publicKey/pem")
	add("pem of nothing", `\nAAAA`, ``, "/items/5/publicKey/pem")
	add("pem with text before", `-----BEGIN`, `key:\n-----BEGIN`, "/items/5/publicKey/pem")
	add("pem with text behind", `KEY-----\n"`, `KEY-----\n\n"`, "/items/5/publicKey/pem")
	add("pem without a line feed", `KEY-----\n"`, `KEY-----"`, "/items/5/publicKey/pem")
	add("pem with carriage returns", `\nAAAA\n`, `\r\nAAAA\r\n`, "/items/5/publicKey/pem")
	add("pem in a long line", `AAAA\n-----END`, strings.Repeat("AAAA", 17)+`\n-----END`, "/items/5/publicKey/pem")
	add("pem in short lines", `AAAA\n-----END`, `AAAA\nAAAA\n-----END`, "/items/5/publicKey/pem")
	accepted("pem with loose bits", `AAAA\n-----END`, `AB==\n-----END`, "/items/5/publicKey/pem")
	add("long pem", `AAAA\n-----END`, strings.Repeat(strings.Repeat("A", 64)+`\n`, 16)+`-----END`, "/items/5/publicKey/pem")
	return list
}

func TestBadOutcomes(t *testing.T) {
	t.Parallel()
	rs := compile(t, ResultSchema())
	for _, c := range append(doneEdits(), edit{"broken jwk", `"n":null}`, `"n":nul}`, CodeNotJSON, "/items/5/publicKey/jwk", false},
		edit{"mismatched jwk", `["sign"]`, `["sign"}`, CodeNotJSON, "/items/5/publicKey/jwk", false}) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doc := []byte(strings.Replace(doneResult, c.old, c.new, 1))
			if string(doc) == doneResult {
				t.Fatalf("the document has no %s", c.old)
			}
			_, err := DecodeResult(doc)
			var bad *Invalid
			if !errors.As(err, &bad) || bad.Code != c.code || bad.Field != c.field {
				t.Fatalf("got %v, want %s at %q", err, c.code, c.field)
			}
			checkMessage(t, bad)
			if accepts := schemaSays(rs, doc) == nil; accepts != c.accepts {
				t.Errorf("schema accepts: got %t, want %t", accepts, c.accepts)
			}
		})
	}
}

// TestOutcomes reads one outcome of each kind and writes them again.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	if err := schemaSays(compile(t, ResultSchema()), []byte(doneResult)); err != nil {
		t.Errorf("schema: %v", err)
	}
	r, err := DecodeResult([]byte(strings.Replace(doneResult, `"jwk":{`, `"jwk": { `, 1)))
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	for i, want := range []ItemResult{
		{ID: "0", Signature: []byte{0, 0, 0}},
		{ID: "1", Valid: &yes},
		{ID: "2", Ciphertext: []byte("\x04\x10\x41")},
		{ID: "3", Ciphertext: []byte("\x08\x20\x82"), IV: bytes.Repeat([]byte("\x0c\x30\xc3"), 4), Tag: append(bytes.Repeat([]byte("\x10\x41\x04"), 5), 0x10)},
		{ID: "4", Plaintext: Secret{}},
		{ID: "5", PublicKey: &PublicKey{JWK: []byte(`{"kty":"EC","x":"[}\"","key_ops":["sign"],"n":null}`), PEM: pemOf(3)}},
		{ID: "6", Error: &Error{Code: CodeThrottled, Message: "wait", Retryable: true}},
	} {
		if !reflect.DeepEqual(r.Items[i], want) {
			t.Errorf("item %d: got %+v, want %+v", i, r.Items[i], want)
		}
	}
	if got, err := r.Encode(0); err != nil || string(got) != doneResult {
		t.Errorf("got  %s, %v\nwant %s", got, err, doneResult)
	}
}

// TestEncodeRefusesBrokenOutcome has what no document can say.
func TestEncodeRefusesBrokenOutcome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		item  ItemResult
		field string
	}{
		"nothing":           {ItemResult{}, "/items/0"},
		"empty signature":   {ItemResult{Signature: []byte{}}, "/items/0"},
		"empty ciphertext":  {ItemResult{Ciphertext: []byte{}}, "/items/0"},
		"iv of one byte":    {ItemResult{Ciphertext: []byte{1}, IV: []byte{1}}, "/items/0/iv"},
		"no jwk":            {ItemResult{PublicKey: &PublicKey{PEM: pemOf(3)}}, "/items/0/publicKey/jwk"},
		"two jwks":          {ItemResult{PublicKey: &PublicKey{JWK: []byte(`{"kty":"EC"}{}`), PEM: pemOf(3)}}, "/items/0/publicKey/jwk"},
		"jwk not UTF-8":     {ItemResult{PublicKey: &PublicKey{JWK: []byte("{\"kty\":\"\xff\"}"), PEM: pemOf(3)}}, "/items/0/publicKey/jwk"},
		"jwk of many bytes": {ItemResult{PublicKey: &PublicKey{JWK: append(largestKey().JWK[:MaxJWK-1], `,"x":""}`...), PEM: pemOf(3)}}, "/items/0/publicKey/jwk"},
		"pem of many bytes": {ItemResult{PublicKey: &PublicKey{JWK: largestKey().JWK, PEM: pemOf(718)}}, "/items/0/publicKey/pem"},
	} {
		c.item.ID = "1"
		_, err := Result{ID: "j", KID: "k", Status: Succeeded, Items: []ItemResult{c.item}}.Encode(0)
		var bad *Invalid
		if !errors.As(err, &bad) || bad.Code != CodeInternal || bad.Field != c.field {
			t.Errorf("%s: got %v, want internal at %q", name, err, c.field)
		}
	}
}

// TestStatusOfDone counts every outcome but an error as done.
func TestStatusOfDone(t *testing.T) {
	t.Parallel()
	no := false
	done := []ItemResult{{Signature: []byte{1}}, {Valid: &no}, {Ciphertext: []byte{1}}, {Plaintext: Secret{}}, {PublicKey: &PublicKey{}}}
	if got := StatusOf(done); got != Succeeded {
		t.Errorf("got %s, want %s", got, Succeeded)
	}
	if got := StatusOf(append(done, ItemResult{Error: &Error{}})); got != Partial {
		t.Errorf("got %s, want %s", got, Partial)
	}
}
