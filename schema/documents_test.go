package schema

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"
)

// TestDocuments checks what the three documents say of each other and of the
// code.
func TestDocuments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		doc  []byte
		want string
	}{
		"job":            {JobSchema(), `"$id": "urn:signmill:job:v1"`},
		"job version":    {JobSchema(), `"const": "` + JobVersion + `"`},
		"result":         {ResultSchema(), `"$id": "urn:signmill:result:v1"`},
		"result version": {ResultSchema(), `"const": "` + ResultVersion + `"`},
		"queues":         {AsyncAPI(), "asyncapi: 3.1.0\n"},
		"job body":       {AsyncAPI(), "$ref: './job.schema.json'"},
		"result body":    {AsyncAPI(), "$ref: './result.schema.json'"},
		"reply id":       {AsyncAPI(), ReplyID("")[:6] + ": of the job's id"},
		"refused id":     {AsyncAPI(), RefusedID(nil)[:8] + ": of the body"},
		"exhausted id":   {AsyncAPI(), ExhaustedID("", 1)[:10] + ": of the job's id"},
		"operations":     {AsyncAPI(), "sign, verify, encrypt, decrypt, wrapKey, unwrapKey, or getPublicKey"},
	} {
		if !bytes.Contains(c.doc, []byte(c.want)) {
			t.Errorf("%s: want %s in the document", name, c.want)
		}
	}
}

// TestSchemaNamesAll compares the words of the job's schema with the code's.
func TestSchemaNamesAll(t *testing.T) {
	t.Parallel()
	type words struct{ Enum []string }
	var doc struct {
		Properties struct{ Operation, Algorithm words }
		Defs       struct{ SignatureAlgorithm, EncryptionAlgorithm, WrapAlgorithm words } `json:"$defs"`
	}
	if err := json.Unmarshal(JobSchema(), &doc); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ got, want string }{
		"operations": {names(doc.Properties.Operation.Enum), names(Operations())},
		"algorithms": {names(doc.Properties.Algorithm.Enum), names(Algorithms())},
		"sign":       {names(doc.Defs.SignatureAlgorithm.Enum), names(Sign.Algorithms())},
		"encrypt":    {names(doc.Defs.EncryptionAlgorithm.Enum), names(Encrypt.Algorithms())},
		"wrapKey":    {names(doc.Defs.WrapAlgorithm.Enum), names(WrapKey.Algorithms())},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", name, c.got, c.want)
		}
	}
}

// TestAsyncAPIReferences follows each reference within the description, by the
// last name of its path.
func TestAsyncAPIReferences(t *testing.T) {
	t.Parallel()
	doc := AsyncAPI()
	refs := regexp.MustCompile(`\$ref: '#/[A-Za-z/]*/([A-Za-z]+)'`).FindAllSubmatch(doc, -1)
	if len(refs) < 8 {
		t.Fatalf("got %d references, want at least 8", len(refs))
	}
	for _, ref := range refs {
		if !regexp.MustCompile(`(?m)^ +` + string(ref[1]) + `:$`).Match(doc) {
			t.Errorf("%s leads nowhere", ref[0])
		}
	}
}

// TestDocumentsAreCopies changes a document and asks again.
func TestDocumentsAreCopies(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]func() []byte{"job": JobSchema, "result": ResultSchema, "queues": AsyncAPI} {
		document()[0] = '!'
		if document()[0] == '!' {
			t.Errorf("%s: got the changed document, want a copy", name)
		}
	}
}
