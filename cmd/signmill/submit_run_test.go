package main

import (
	"strings"
	"testing"

	"github.com/signmill/signmill/schema"
)

// TestResultOfAnotherJob gives a job results that are not its own.
func TestResultOfAnotherJob(t *testing.T) {
	t.Parallel()
	item := func(id string) schema.ItemResult { return schema.ItemResult{ID: id, Signature: []byte{1}} }
	tests := map[string]struct {
		result schema.Result
		want   string // in the complaint; "": there is none
	}{
		"right":           {schema.Result{ID: "j", Status: schema.Succeeded, Items: []schema.ItemResult{item("a"), item("b")}}, ""},
		"refused":         {(&schema.Invalid{Code: schema.CodeInvalidJob, JobID: "j", Message: "no"}).Result(), ""},
		"of another job":  {schema.Result{ID: "k", Status: schema.Succeeded, Items: []schema.ItemResult{item("a"), item("b")}}, `it is the result of "k"`},
		"an item too few": {schema.Result{ID: "j", Status: schema.Succeeded, Items: []schema.ItemResult{item("a")}}, "it has 1 items, the job has 2"},
		"in disorder":     {schema.Result{ID: "j", Status: schema.Succeeded, Items: []schema.ItemResult{item("b"), item("a")}}, `item 1 is "b", in the job it is "a"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.result.Status == schema.Succeeded {
				tt.result.KID = "https://local.vault.azure.net/keys/k/0123456789abcdef0123456789abcdef"
			}
			body, err := tt.result.Encode(0)
			if err != nil {
				t.Fatal(err)
			}
			var out, complaint strings.Builder
			u := &submission{streams: streams{out: &out, err: &complaint}}
			if err := u.answer(t.Context(), "", asked{"j", []string{"a", "b"}}, body); err != nil {
				t.Fatal(err)
			}
			if got := complaint.String(); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("complains %q, want %q", got, tt.want)
			}
			if printed := out.String(); (printed == string(body)+"\n") != (tt.want == "") {
				t.Errorf("prints %q", printed)
			}
		})
	}
}
