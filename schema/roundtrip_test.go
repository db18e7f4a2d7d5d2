package schema

import (
	"reflect"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// checkRoundTrip checks what holds for every accepted job: it is written as a
// document that the schema accepts and that reads back as the same job.
func checkRoundTrip(t testing.TB, js *jsonschema.Schema, j Job) {
	t.Helper()
	doc, err := j.Encode(Limits{})
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	if err := schemaSays(js, doc); err != nil {
		t.Errorf("schema of the written job: %v", err)
	}
	back, err := Decode(doc, Limits{})
	if err != nil {
		t.Fatalf("decode again: %v", err)
	}
	for i := range j.Items {
		j.Items[i].FromData = false // a job is written with the digest alone
	}
	if !reflect.DeepEqual(back, j) {
		t.Errorf("got  %+v\nwant %+v", back, j)
	}
}
