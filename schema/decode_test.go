package schema

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestJobID reads the id of faulty documents, so that an answer can name it.
func TestJobID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, doc, want string }{
		{"id first", `{"id":"a","x":1}`, "a"},
		{"id after the fault", `{"x":[1,{"y":"}"},"]"],"n":-1.5e3,"b":false,"id":"a"}`, "a"},
		{"escaped name", `{"x":1,"\u0069d":"\u00e4"}`, "ä"},
		{"nested id does not count", `{"x":{"id":"b"},"items":[{"id":"c"}]}`, ""},
		{"other version", `{"schema":"signmill.job/v9","id":"a","operation":{}}`, "a"},
		{"cut short after the id", `{"id":"a","items":[{"id":"1","dig`, "a"},
		{"cut short in the id", `{"id":"a`, ""},
		{"byte order mark", "\ufeff" + `{"id":"a"}`, "a"},
		{"UTF-8 broken elsewhere", "{\"x\":\"\xff\",\"id\":\"a\"}", "a"},
		{"UTF-8 broken in the id", "{\"id\":\"a\xff\"}", ""},
		{"twice", `{"id":"a","id":"b"}`, ""},
		{"twice the same", `{"id":"a","id":"a"}`, ""},
		{"a number", `{"id":1}`, ""},
		{"empty", `{"id":""}`, ""},
		{"too long", `{"id":"` + strings.Repeat("x", MaxID+1) + `"}`, ""},
		{"control character", `{"id":"\u0000"}`, ""},
		{"not an object", `["id","a"]`, ""},
		{"deep", `{"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `,"id":"a"}`, "a"},
		{"never closed", `{"x":` + strings.Repeat("{", 100_000), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if bad := decodeBad(t, []byte(c.doc), Limits{}); bad.JobID != c.want {
				t.Errorf("got %q (%v), want %q", bad.JobID, bad, c.want)
			}
		})
	}
}

// TestRepeatedVersion reads two versions: neither is the document's.
func TestRepeatedVersion(t *testing.T) {
	t.Parallel()
	bad := decodeBad(t, []byte(`{"schema":"signmill.job/v1","schema":"signmill.job/v2"}`), Limits{})
	if bad.Code != CodeInvalidJob || bad.Field != "/schema" {
		t.Errorf("got %v at %q, want invalid_job at /schema", bad, bad.Field)
	}
}

// TestItemsStopAtLimit has text that is not JSON behind the first item too
// many: reading must have stopped before it.
func TestItemsStopAtLimit(t *testing.T) {
	t.Parallel()
	item := `{"id":"1","digest":""}`
	bad := decodeBad(t, []byte(`{"items":[`+item+`,`+item+`,!`), Limits{MaxItems: 2})
	if bad.Code != CodeTooLarge || bad.Field != "/items" {
		t.Errorf("got %v at %q, want too_large at /items", bad, bad.Field)
	}
}

// TestMessages holds what people read: the field, the limit and the value.
func TestMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, want string }{
		{"number-id", `/id: must be a string, is a number`},
		{"null-notAfter", `/notAfter: must be a string, is null; leave the field out instead`},
		{"unknown-field", `/colour: unknown field; known here are schema, id, operation, key, items, algorithm, signatureFormat, notAfter, labels`},
		{"repeated-id", `/id: stands more than once`},
		{"id-long", `/id: must have 1 to 128 characters, has 129`},
		{"version-2", `/schema: must be "signmill.job/v1", is "signmill.job/v2"`},
		{"operation-unknown", `/operation: must be one of sign, verify, encrypt, decrypt, wrapKey, unwrapKey, getPublicKey, is "shred"`},
		{"algorithm-none", `/algorithm: must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, ES256K, HS256, HS384, HS512 for sign, is "none"`},
		{"item-twice", `/items/2/id: must be unique in the job; item 0 has the id "1", too`},
		{"item-both", `/items/0: must have exactly one of digest and data`},
		{"digest-short", `/items/0/digest: must be 32 bytes for ES256, is 31`},
		{"digest-hex", `/items/0/digest: must be base64url without padding, as in JOSE (RFC 7515, section 2); it is hexadecimal (64 digits)`},
		{"digest-padded", `/items/0/digest: must be base64url without padding, as in JOSE (RFC 7515, section 2); it has padding: drop the = at the end`},
		{"digest-standard", `/items/0/digest: must be base64url without padding, as in JOSE (RFC 7515, section 2); it is standard base64: replace + by - and / by _`},
		{"digest-standard-padded", `/items/0/digest: must be base64url without padding, as in JOSE (RFC 7515, section 2); it is standard base64 with padding: replace + by -, / by _, and drop the = at the end`},
		{"digest-inner-newline", `/items/0/digest: must be base64url without padding, as in JOSE (RFC 7515, section 2); the character at offset 20 is not in its alphabet`},
		{"second-item", `/items/1/plaintext: must be 1 to 501 bytes for RSA1_5, is 502`},
		{"encrypt-rsa-oaep-256-long", `/items/0/plaintext: must be 1 to 446 bytes for RSA-OAEP-256, is 447`},
		{"encrypt-gcm-iv", `/items/0/iv: must be left out for encrypt with A256GCM: the vault makes it`},
		{"encrypt-rsa-iv", `/items/0/iv: must be left out: encrypt with RSA-OAEP does not take it`},
		{"encrypt-cbc-no-iv", `/items/0/iv: is missing; must be 16 bytes for A128CBC`},
		{"encrypt-cbc-iv-12", `/items/0/iv: must be 16 bytes for A128CBC, is 12`},
		{"encrypt-cbc-17", `/items/0/plaintext: must be at least 16 bytes, in whole blocks of 16, for A192CBC, is 17`},
		{"encrypt-rsa-oaep-empty", `/items/0/plaintext: must not be empty`},
		{"encrypt-no-plaintext", `/items/0/plaintext: is missing; must be 1 to 470 bytes for RSA-OAEP`},
		{"decrypt-gcm-aad-empty", `/items/0/aad: must not be empty; leave it out instead`},
		{"decrypt-gcm-tag-15", `/items/0/tag: must be 16 bytes for A256GCM, is 15`},
		{"unwrapkey-kw-25", `/items/0/ciphertext: must be at least 24 bytes, in whole blocks of 8, for A128KW, is 25`},
		{"wrapkey-a256gcm", `/algorithm: must be one of RSA1_5, RSA-OAEP, RSA-OAEP-256, A128KW, A192KW, A256KW for wrapKey, is "A256GCM"`},
		{"decrypt-no-algorithm", `/algorithm: is missing; must be one of RSA1_5, RSA-OAEP, RSA-OAEP-256, A128GCM, A192GCM, A256GCM, A128CBC, A192CBC, A256CBC, A128CBCPAD, A192CBCPAD, A256CBCPAD for decrypt`},
		{"verify-rsa-long", `/items/0/signature: must be 1 to 512 bytes for PS256, is 513`},
		{"verify-no-digest", `/items/0: must have exactly one of digest and data`},
		{"encrypt-data", `/items/0/data: must be left out: encrypt with A256GCM does not take it`},
		{"wrapkey-format", `/signatureFormat: must be left out: it belongs to sign and verify only; is "jose"`},
		{"publickey-algorithm", `/algorithm: must be left out: getPublicKey needs none; is "RS256"`},
		{"publickey-two", `/items: must hold exactly one item for getPublicKey, holds 2`},
		{"publickey-iv", `/items/0/iv: must be left out: getPublicKey does not take it`},
		{"labels-many", `/labels: must hold at most 32 labels, holds more`},
		{"byte-order-mark", `not JSON at byte 0: the document begins with a byte order mark; leave it out (RFC 8259, section 8.1)`},
		{"trailing-text", `not JSON at byte 188: something follows the document; a message holds exactly one`},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			bad := decodeBad(t, readFile(t, "testdata/bad/"+c.file+".json"), Limits{})
			if bad.Message != c.want {
				t.Errorf("got  %s\nwant %s", bad.Message, c.want)
			}
		})
	}
}

// TestMessagesHoldNoData looks for the item's bytes in the messages of every
// fault that an item can have.
func TestMessagesHoldNoData(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"digest", "data"} {
		for _, tail := range []string{"", "=", "+/", "\\n", "A", "AA", "AAA"} {
			doc := fmt.Sprintf(`{"schema":"signmill.job/v1","id":"j","operation":"sign","key":"k","algorithm":"ES256","items":[{"id":"1",%q:"SECRET%s"}]}`, field, tail)
			_, err := Decode([]byte(doc), Limits{})
			if err != nil && strings.Contains(err.Error(), "SECRET") {
				t.Errorf("got %v, want no data in it", err)
			}
		}
	}
}

// TestMessagesAreBounded feeds the longest values that a document can hold.
func TestMessagesAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(`ü\"\u001b`, 10_000)
	for _, field := range []string{"schema", "id", "operation", "key", "algorithm", "signatureFormat", "notAfter", long} {
		doc := fmt.Sprintf(`{"%s":"%s"}`, field, long)
		bad := decodeBad(t, []byte(doc), Limits{})
		checkMessage(t, bad)
		if len(bad.Error()) > 600 {
			t.Errorf("got %d bytes, want at most 600: %v", len(bad.Error()), bad)
		}
	}
}

// TestDecodeKeepsNothing changes the document after it was read.
func TestDecodeKeepsNothing(t *testing.T) {
	t.Parallel()
	doc := readFile(t, "examples/job-labels.json")
	j, err := Decode(doc, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("%+v", j)
	copy(doc, bytes.Repeat([]byte("!"), len(doc)))
	if after := fmt.Sprintf("%+v", j); after != before {
		t.Errorf("got  %s\nwant %s", after, before)
	}
}

// TestDigestsDoNotOverlap appends to one digest and looks at the next.
func TestDigestsDoNotOverlap(t *testing.T) {
	t.Parallel()
	doc, err := jobOf(ES256, 2).Encode(Limits{})
	if err != nil {
		t.Fatal(err)
	}
	j, err := Decode(doc, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_ = append(j.Items[0].Digest, 0xff)
	if got := j.Items[1].Digest[0]; got != 0 {
		t.Errorf("got %#x, want 0", got)
	}
}

func TestMaxSignature(t *testing.T) {
	t.Parallel()
	for a, want := range map[Algorithm][2]int{
		RS256: {512, 512}, PS512: {512, 512}, HS256: {32, 32}, HS384: {48, 48}, HS512: {64, 64}, A256GCM: {0, 0}, RSA15: {0, 0}, ES256: {64, 72}, ES256K: {64, 72}, ES384: {96, 104}, ES512: {132, 139}, "none": {0, 0},
	} {
		if got := [2]int{a.MaxSignature(JOSE), a.MaxSignature(DER)}; got != want {
			t.Errorf("%s: got %v, want %v", a, got, want)
		}
	}
}

// TestEscapes reads each escape of JSON in a field where it is allowed to
// stand, and control characters up to the rule that refuses them.
func TestEscapes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`\"`: `"`, `\\`: `\`, `\/`: `/`, `\b`: "\b", `\f`: "\f", `\n`: "\n", `\r`: "\r", `\t`: "\t",
		`\u00E4`: "ä", `\ud83d\udcc4`: "📄", `a\u0041b`: "aAb",
	} {
		r := reader{data: []byte(`"` + in + `"`)}
		got, bad := r.text()
		if bad != nil || string(got) != want {
			t.Errorf("%s: got %q, %v; want %q", in, got, bad, want)
		}
	}
}
