package worker_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
)

// stillWorks shows that the worker is alive and the job queue empty.
func (r *rig) stillWorks() {
	r.t.Helper()
	good := job("after all", 1)
	r.submit(good)
	result, _ := r.reply()
	r.verify(good, result)
}

// TestUndecodableIsDeadLettered covers the first line of the table of jobs
// that cannot be done: dead-letter with a reason, and an answer where the id
// can be read.
func TestUndecodableIsDeadLettered(t *testing.T) {
	t.Parallel()
	good := string((&rig{t: t}).encode(job("j", 1)))
	tests := []struct {
		name, body string
		reason     schema.Code
		answered   bool
	}{
		{"not JSON", "hello", schema.CodeNotJSON, false},
		{"empty", "", schema.CodeNotJSON, false},
		{"binary", "\x00\xff\xfe", schema.CodeNotJSON, false},
		{"an array", "[]", schema.CodeNotJSON, false},
		{"no id", `{"schema":"signmill.job/v1"}`, schema.CodeInvalidJob, false},
		{"unknown version", strings.Replace(good, "job/v1", "job/v9", 1), schema.CodeUnsupportedVersion, true},
		{"unknown field", strings.Replace(good, `"id":"j"`, `"id":"j","vault":"https://evil.example"`, 1), schema.CodeInvalidJob, true},
		{"short digest", strings.Replace(good, `"digest":"`, `"digest":"AAAA","x":"`, 1), schema.CodeInvalidJob, true},
		{"too many items", strings.Replace(good, `"items":[`, `"items":[`+strings.Repeat(`{"id":"x","digest":""},`, 1000), 1), schema.CodeTooLarge, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start()
			r.send(queue.Message{ID: "m", Body: []byte(tt.body)})
			dead := r.take(r.receiver(servicebus.DeadLetters("jobs")))
			if got := dead.Properties["DeadLetterReason"]; got != string(tt.reason) || !bytes.Equal(dead.Body, []byte(tt.body)) {
				t.Errorf("dead letter has reason %q and body %q, want %q and the same body", got, dead.Body, tt.reason)
			}
			if tt.answered {
				result, d := r.reply()
				if result.ID != "j" || result.Status != schema.Failed || result.Error == nil || result.Error.Code != tt.reason {
					t.Errorf("answer is %+v, error %+v", result, result.Error)
				}
				if d.ID != schema.RefusedID([]byte(tt.body)) || d.CorrelationID != "m" {
					t.Errorf("answer has id %q and correlation %q", d.ID, d.CorrelationID)
				}
			}
			if r.stillWorks(); r.vault.Stats().Operations["sign"] != 1 {
				t.Errorf("the vault signed %d times, want once", r.vault.Stats().Operations["sign"])
			}
		})
	}
}

// TestRefusedIsAnswered covers valid jobs that may not or cannot be done: an
// answer for each item, and the job is complete.
func TestRefusedIsAnswered(t *testing.T) {
	t.Parallel()
	past := job("j", 2)
	past.NotAfter = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	with := func(change func(*schema.Job)) schema.Job {
		j := job("j", 2)
		change(&j)
		return j
	}
	tests := []struct {
		name string
		job  schema.Job
		to   string // ReplyTo
		code schema.Code
	}{
		{"unknown alias", with(func(j *schema.Job) { j.Key = "other" }), "", schema.CodeKeyNotAllowed},
		{"reply queue not listed", job("j", 2), "elsewhere", schema.CodeReplyNotAllowed},
		{"key does not exist", with(func(j *schema.Job) { j.Key = "gone" }), "", schema.CodeKeyNotFound},
		{"algorithm does not fit", with(func(j *schema.Job) { j.Algorithm = schema.PS256 }), "", schema.CodeAlgorithmNotFitting},
		{"key may not sign", with(func(j *schema.Job) { j.Key = "verify-only" }), "", schema.CodeKeyUnusable},
		{"too late", past, "", schema.CodeExpired},
		{"in time, but key does not exist", with(func(j *schema.Job) { j.Key, j.NotAfter = "gone", time.Now().Add(time.Hour) }), "", schema.CodeKeyNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, localvault.KeySpec{Name: "verify-only", Type: "EC", Ops: []string{"verify"}})
			r.config.Policy = r.aliases(localvault.KeySpec{Name: "verify-only"})
			r.start()
			r.send(queue.Message{ID: "m", ReplyTo: tt.to, Body: r.encode(tt.job)})
			result, d := r.reply()
			if result.ID != "j" || result.Status != schema.Failed || result.KID != "" || len(result.Items) != 2 || d.ID != schema.ReplyID("j") {
				t.Fatalf("result %+v under id %q", result, d.ID)
			}
			for i, item := range result.Items {
				if item.Error == nil || item.Error.Code != tt.code || item.Error.Retryable || item.Error.Message == "" {
					t.Errorf("item %d has error %+v, want a final %s", i, item.Error, tt.code)
				}
			}
			if got := r.vault.Stats().Operations["sign"]; got != 0 {
				t.Errorf("the vault signed %d times", got)
			}
			r.stillWorks()
			r.empty(servicebus.DeadLetters("jobs"))
			r.empty("elsewhere")
		})
	}
}

// TestWrongSignatureIsNeverPublished lets the vault spoil one signature of
// three: the others arrive, and that one is an error.
func TestWrongSignatureIsNeverPublished(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.stillWorks()
	r.vault.SetFaults(localvault.Faults{WrongSignature: 1})
	r.submit(job("j", 3))
	result, _ := r.reply()
	wrong := 0
	for _, item := range result.Items {
		if item.Error != nil && item.Error.Code == schema.CodeIntegrity && item.Signature == nil {
			wrong++
		}
	}
	if result.Status != schema.Partial || wrong != 1 || result.KID == "" {
		t.Errorf("status %q with %d integrity errors, want partial with 1", result.Status, wrong)
	}
}
