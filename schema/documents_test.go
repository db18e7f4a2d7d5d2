package schema

import (
	"bytes"
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
	} {
		if !bytes.Contains(c.doc, []byte(c.want)) {
			t.Errorf("%s: want %s in the document", name, c.want)
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
