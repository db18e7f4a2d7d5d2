package campaign

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/schema"
)

// TestBadReplies answers a job wrongly in every way that a broken or hostile
// worker could, and looks at what reaches the disk.
func TestBadReplies(t *testing.T) {
	t.Parallel()
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		body func(r *rig, job schema.Job) []byte
		code string // "" for a good reply
	}{
		"good":     {func(r *rig, j schema.Job) []byte { return r.encode(r.result(j, r.key)) }, ""},
		"not JSON": {func(*rig, schema.Job) []byte { return []byte("{") }, manifest.BadReply},
		"of another job": {func(r *rig, j schema.Job) []byte {
			result := r.result(j, r.key)
			result.ID = "run.1-99"
			return r.encode(result)
		}, manifest.BadReply},
		"of another item": {func(r *rig, j schema.Job) []byte {
			result := r.result(j, r.key)
			result.Items[0].ID = "7"
			return r.encode(result)
		}, manifest.BadReply},
		"by another key": {func(r *rig, j schema.Job) []byte { return r.encode(r.result(j, stranger)) }, string(schema.CodeIntegrity)},
		"refusal": {func(r *rig, j schema.Job) []byte {
			refused := &schema.Error{Code: schema.CodeKeyNotAllowed, Message: "no"}
			return r.encode(schema.Result{ID: j.ID, Status: schema.Failed, Items: []schema.ItemResult{{ID: "0", Error: refused}}})
		}, string(schema.CodeKeyNotAllowed)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1)
			done := r.start(t.Context())
			job := r.take()
			r.reply(job.ID, tt.body(r, job))
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			r.wantOne(tt.code)
		})
	}
}

// wantOne checks that the manifest has one entry, with code, and a signature
// only if code is "".
func (r *rig) wantOne(code string) {
	r.t.Helper()
	if err := r.Record.manifest.Finish(r.Record.total()); err != nil {
		r.t.Fatal(err)
	}
	entries := r.entries()
	if len(entries) != 1 {
		r.t.Fatalf("got %d entries, want 1", len(entries))
	}
	got := ""
	if entries[0].Error != nil {
		got = entries[0].Error.Code
	}
	if got != code {
		r.t.Errorf("got code %q, want %q", got, code)
	}
	if wrote := r.signatures() == 1; wrote != (code == "") {
		r.t.Errorf("signature written: got %t, want %t", wrote, code == "")
	}
}

// entries returns what the manifest holds.
func (r *rig) entries() (all []manifest.Entry) {
	r.t.Helper()
	m, err := manifest.Open(filepath.Join(r.dir, files.ManifestName), false)
	if err != nil {
		r.t.Fatal(err)
	}
	defer m.Close()
	for e, err := range m.Entries() {
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// TestForeignReply meets another's reply: it stays in the queue, and the run
// stops with advice.
func TestForeignReply(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	r.reply("another-run.1-0", []byte("{}"))
	err := <-r.start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "--reply-session") {
		t.Errorf("got error %v, want one that names --reply-session", err)
	}
	got, err := r.Replies.Receive(t.Context(), 1)
	if err != nil || len(got) != 1 || got[0].CorrelationID != "another-run.1-0" {
		t.Errorf("got %d replies and error %v, want the other's to be there still", len(got), err)
	}
}

// TestLateReply meets a reply to an earlier attempt of the same run: it is
// done away with, and the run goes on.
func TestLateReply(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	r.reply("run.0-0", []byte("{}"))
	done := r.start(t.Context())
	job := r.take()
	r.reply(job.ID, r.encode(r.result(job, r.key)))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	r.wantOne("")
}

// TestFirstInterrupt ends the intake while two jobs are under way: both are
// waited for and recorded, and no third is sent.
func TestFirstInterrupt(t *testing.T) {
	t.Parallel()
	r := newRig(t, 5)
	soft, interrupt := context.WithCancel(t.Context())
	done := r.start(soft)
	jobs := []schema.Job{r.take(), r.take()}
	interrupt()
	for _, job := range jobs {
		r.reply(job.ID, r.encode(r.result(job, r.key)))
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := r.Record.total(); got.Signed != 2 || r.signatures() != 2 {
		t.Errorf("got %+v and %d signatures, want 2", got, r.signatures())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if more, _ := r.jobs.Receive(ctx, 1); len(more) > 0 {
		t.Errorf("got %d more jobs, want none", len(more))
	}
}
