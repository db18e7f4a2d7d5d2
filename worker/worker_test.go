package worker_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
)

// TestSignsWithEachAlgorithm takes one job of each algorithm and format
// through all rooms and checks the signatures with the key that the reply
// names.
func TestSignsWithEachAlgorithm(t *testing.T) {
	t.Parallel()
	specs := []localvault.KeySpec{
		{Name: "rsa", Type: "RSA-HSM"}, {Name: "p384", Type: "EC", Curve: "P-384"},
		{Name: "p521", Type: "EC-HSM", Curve: "P-521"}, {Name: "k1", Type: "EC", Curve: "P-256K"},
	}
	keyFor := map[string]string{"": "rsa", "P-256": "ec", "P-384": "p384", "P-521": "p521", "P-256K": "k1"}
	r := newRig(t, specs...)
	r.start()
	for _, algorithm := range schema.PublicKeySignatures() {
		for _, format := range []schema.SignatureFormat{schema.JOSE, schema.DER} {
			j := job(string(algorithm)+" "+string(format), 2)
			j.Algorithm, j.Format, j.Key = algorithm, format, keyFor[algorithm.Curve()]
			for i := range j.Items {
				h := algorithm.Hash().New()
				h.Write([]byte(j.Items[i].ID))
				j.Items[i].Digest = h.Sum(nil)
			}
			r.submit(j)
			result, _ := r.reply()
			r.verify(j, result)
		}
	}
}

// verify checks every signature of a result that must have succeeded.
func (r *rig) verify(j schema.Job, result schema.Result) {
	r.t.Helper()
	if result.ID != j.ID || result.Status != schema.Succeeded || len(result.Items) != len(j.Items) {
		r.t.Fatalf("result of %q: id %q, status %q, %d items %+v", j.ID, result.ID, result.Status, len(result.Items), result.Error)
	}
	name, version, _ := strings.Cut(strings.TrimPrefix(result.KID, vaultURL+"/keys/"), "/")
	key, err := r.keys.Resolve(r.t.Context(), signer.Ref{Vault: vaultURL, Name: name, Version: version})
	r.must(err)
	for i, item := range result.Items {
		signature := item.Signature
		if j.Format == schema.DER {
			signature, err = signer.JOSE(j.Algorithm, signature)
			r.must(err)
		}
		if err := signer.Verify(key.Public, j.Algorithm, j.Items[i].Digest, signature); err != nil {
			r.t.Errorf("job %q item %q: %v", j.ID, item.ID, err)
		}
	}
}

func TestReplyFollowsTheRequest(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("é", 128)
	tests := []struct {
		name                 string
		request              queue.Message
		wantQueue, wantMatch string
	}{
		{"no ReplyTo", queue.Message{ID: "m1"}, "replies", "m1"},
		{"own CorrelationID", queue.Message{ID: "m2", CorrelationID: "c2"}, "replies", "c2"},
		{"session in another case", queue.Message{ID: "m3", ReplyTo: "Private", ReplyToSessionID: "s3"}, "private", "m3"},
		{"longest address", queue.Message{ID: "m4", CorrelationID: longest, ReplyTo: "private", ReplyToSessionID: longest}, "private", longest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start()
			j := job("j", 1)
			j.Labels = map[string]string{"tenant": "t"}
			tt.request.Body = r.encode(j)
			r.send(tt.request)
			from := r.receiver
			if tt.request.ReplyToSessionID != "" {
				from = func(name string) queue.Receiver {
					rc, err := r.client.SessionReceiver(t.Context(), name, tt.request.ReplyToSessionID)
					r.must(err)
					return rc
				}
			}
			d := r.take(from(tt.wantQueue))
			if d.CorrelationID != tt.wantMatch || d.SessionID != tt.request.ReplyToSessionID || d.ID != schema.ReplyID("j") {
				t.Errorf("reply has correlation %q, session %q, id %q", d.CorrelationID, d.SessionID, d.ID)
			}
			if d.ContentType != "application/json" || d.Subject != schema.ResultVersion {
				t.Errorf("reply has content type %q, subject %q", d.ContentType, d.Subject)
			}
			if result, err := schema.DecodeResult(d.Body); err != nil || !maps.Equal(result.Labels, j.Labels) {
				t.Errorf("reply has labels %v, error %v, want those of the job", result.Labels, err)
			}
		})
	}
}

func TestOneReplyForAJobThatComesTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	drain := r.start()
	r.submit(job("twice", 1))
	r.submit(job("twice", 1))
	first, _ := r.reply()
	r.verify(job("twice", 1), first)
	drain()
	r.empty("jobs")
	r.empty("replies")
}

func TestNewListsAllFaults(t *testing.T) {
	t.Parallel()
	_, err := worker.New(worker.Config{
		DefaultReply: "x", Concurrency: -1, JobsHeld: -1, MaxDeliveries: -1, JobTimeout: -1, DrainTimeout: -1,
	})
	for _, want := range []string{
		"Jobs is", "Policy is", "Keys is", `"x"`,
		"Concurrency is", "JobsHeld is", "MaxDeliveries is", "JobTimeout is", "DrainTimeout is",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not mention %s", err, want)
		}
	}
}
