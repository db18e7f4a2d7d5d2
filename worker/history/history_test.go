package history_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/worker/history"
)

const (
	kid    = "https://test.vault.azure.net/keys/ec/1"
	window = 10 * time.Minute
)

// scene writes a history by hand.
type scene struct {
	*history.History
	t     *testing.T
	key   *ecdsa.PrivateKey
	began time.Time
}

func newScene(t *testing.T) *scene {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, key: key, began: time.Unix(1_800_000_000, 0)}
	s.History = history.New(history.Config{EndsOnce: true, Window: window, Key: func(id string) (crypto.PublicKey, error) {
		if id != kid {
			return nil, errors.New("no such key")
		}
		return key.Public(), nil
	}})
	return s
}

// job is a job with two items.
func job(id string) schema.Job {
	j := schema.Job{ID: id, Operation: schema.Sign, Key: "ec", Algorithm: schema.ES256}
	for n := range 2 {
		digest := sha256.Sum256(fmt.Append(nil, id, n))
		j.Items = append(j.Items, schema.Item{ID: fmt.Sprint(n), Digest: digest[:]})
	}
	return j
}

// ask has a job sent, accepted and delivered once.
func (s *scene) ask(id string) schema.Job {
	j := job(id)
	s.Attempt(j)
	s.Accept(id)
	s.Deliver(id, 1)
	return j
}

// result signs a job.
func (s *scene) result(j schema.Job) schema.Result {
	s.t.Helper()
	r := schema.Result{ID: j.ID, Status: schema.Succeeded, KID: kid}
	for _, item := range j.Items {
		der, err := ecdsa.SignASN1(rand.Reader, s.key, item.Digest)
		s.must(err)
		signature, err := signer.JOSE(j.Algorithm, der)
		s.must(err)
		r.Items = append(r.Items, schema.ItemResult{ID: item.ID, Signature: signature})
	}
	s.Sign(len(j.Items), 0)
	return r
}

// publish shows a result on the reply queue.
func (s *scene) publish(r schema.Result, after time.Duration) {
	s.t.Helper()
	body, err := r.Encode(1 << 20)
	s.must(err)
	s.Reply(history.Reply{ID: schema.ReplyID(r.ID), CorrelationID: r.ID, Body: body, EnqueuedAt: s.began.Add(after)})
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestCheck tells histories, good and bad.
func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		tell  func(s *scene)
		fault string // in the error; "" means that there is none
		want  string // a line of the table, fields separated by one space
	}{
		{"answered", func(s *scene) { s.publish(s.result(s.ask("a")), 0) }, "", "published 2"},
		{"dead-lettered", func(s *scene) { s.ask("a"); s.DeadLetter("a", "attempts_exhausted") }, "", "dead-lettered 1"},
		{"not confirmed, and answered", func(s *scene) {
			j := job("a")
			s.Attempt(j)
			s.Deliver("a", 1)
			s.publish(s.result(j), 0)
		}, "", "recovered 1"},
		{"not confirmed, and gone", func(s *scene) { s.Attempt(job("a")) }, "", "lost 0"},
		{"signed again after a redelivery", func(s *scene) {
			j := s.ask("a")
			s.result(j)
			s.Deliver("a", 1)
			s.publish(s.result(j), 0)
		}, "", "re-signed 2"},
		{"signed again after an answer went astray", func(s *scene) {
			s.publish(s.result(s.ask("a")), 0)
			s.Sign(1, 1)
		}, "", "re-signed 1"},
		{"result twice, after the window", func(s *scene) {
			r := s.result(s.ask("a"))
			s.publish(r, 0)
			s.publish(r, window)
		}, "", "late 1"},
		{"each copy dead-lettered", func(s *scene) {
			s.ask("a")
			s.Deliver("a", 2)
			s.DeadLetter("a", "too_large")
			s.DeadLetter("a", "too_large")
		}, "", "copied 1"},

		{"nothing at all", func(*scene) {}, "no job was attempted", "attempted 0"},
		{"lost", func(s *scene) { s.ask("a") }, `"a" is lost`, "lost 1"},
		{"left on the queue", func(s *scene) { s.ask("a"); s.Wait("a") }, "is lost", "lost 1"},
		{"answered and left on the queue", func(s *scene) {
			s.publish(s.result(s.ask("a")), 0)
			s.Wait("a")
		}, "still on the job queue", "waiting 1"},
		{"result twice", func(s *scene) {
			r := s.result(s.ask("a"))
			s.publish(r, window-1)
			s.publish(r, 0)
		}, `"a" has 2 results`, "duplicated 1"},
		{"dead-lettered twice", func(s *scene) {
			s.ask("a")
			s.DeadLetter("a", "too_large")
			s.DeadLetter("a", "too_large")
		}, "2 dead letters", "dead-lettered 1"},
		{"answered and dead-lettered", func(s *scene) {
			s.publish(s.result(s.ask("a")), 0)
			s.DeadLetter("a", "attempts_exhausted")
		}, "result and a dead letter", "both 1"},
		{"reason of one's own", func(s *scene) { s.ask("a"); s.DeadLetter("a", "MaxDeliveryCountExceeded") }, "not of the vocabulary", "dead-lettered 1"},
		{"never sent", func(s *scene) { s.ask("a"); s.publish(s.result(job("b")), 0) }, `"b" was never sent`, "unexpected 1"},
		{"spoilt signature", func(s *scene) {
			r := s.result(s.ask("a"))
			r.Items[1].Signature[5] ^= 1
			s.publish(r, 0)
		}, "does not verify", "published 1"},
		{"another's signature", func(s *scene) {
			r := s.result(s.ask("a"))
			r.Items[0].Signature, r.Items[1].Signature = r.Items[1].Signature, r.Items[0].Signature
			s.publish(r, 0)
		}, "does not verify", "published 0"},
		{"unknown key", func(s *scene) {
			r := s.result(s.ask("a"))
			r.KID = "https://evil.vault.azure.net/keys/ec/1"
			s.publish(r, 0)
		}, "no such key", "published 0"},
		{"item that nobody asked for", func(s *scene) {
			r := s.result(s.ask("a"))
			r.Items[0].ID = "7"
			s.publish(r, 0)
		}, "nobody asked for", "published 1"},
		{"failure that may pass", func(s *scene) {
			r := s.result(s.ask("a"))
			r.Items[1] = schema.ItemResult{ID: "1", Error: &schema.Error{Code: schema.CodeThrottled, Message: "x", Retryable: true}}
			r.Status = schema.Partial
			s.publish(r, 0)
		}, "may pass", "published 1"},
		{"signed without a delivery", func(s *scene) {
			s.publish(s.result(s.ask("a")), 0)
			s.Sign(1, 0)
		}, "the vault signed 3 times", "re-signed 1"},
		{"no JSON", func(s *scene) {
			s.ask("a")
			s.Reply(history.Reply{ID: schema.ReplyID("a"), CorrelationID: "a", Body: []byte("x")})
		}, "cannot be read", "replied 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			tt.tell(s)
			report := s.Check()
			switch err := report.Err(); {
			case tt.fault == "" && err != nil:
				t.Errorf("got the fault %v, want none", err)
			case tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)):
				t.Errorf("got the fault %v, want %q", err, tt.fault)
			}
			if got := strings.Join(strings.Fields(report.String()), " "); !strings.Contains(got+" ", tt.want+" ") {
				t.Errorf("got the table %s, want %s", got, tt.want)
			}
		})
	}
}

// TestBothEndings allows a result besides a dead letter where attempts run out.
func TestBothEndings(t *testing.T) {
	t.Parallel()
	h := history.New(history.Config{})
	h.Attempt(schema.Job{ID: "a"})
	h.DeadLetter("a", "attempts_exhausted")
	body, err := schema.Result{ID: "a", Status: schema.Failed, Error: &schema.Error{Code: schema.CodeInternal, Message: "x"}}.Encode(0)
	if err != nil {
		t.Fatal(err)
	}
	h.Reply(history.Reply{ID: schema.ReplyID("a"), CorrelationID: "a", Body: body})
	if report := h.Check(); report.Err() != nil || report.Both != 1 {
		t.Errorf("got %v and%s, want no fault", report.Err(), report)
	}
}

// TestAdd sums up two reports, faults included.
func TestAdd(t *testing.T) {
	t.Parallel()
	good, bad := newScene(t), newScene(t)
	good.publish(good.result(good.ask("a")), 0)
	bad.ask("b")
	sum := good.Check()
	sum.Add(bad.Check())
	if sum.Attempted != 2 || sum.Replied != 1 || sum.Lost != 1 {
		t.Errorf("got the sum%s", sum)
	}
	if sum.Err() == nil {
		t.Error("got no fault, want that of the second report")
	}
}

// TestErrIsBounded loses many jobs.
func TestErrIsBounded(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for n := range 1000 {
		s.ask(fmt.Sprint(n))
	}
	if got := s.Check().Err().Error(); strings.Count(got, "lost") != 20 || !strings.Contains(got, "980 more") {
		t.Errorf("got %s, want 20 faults and the number of the others", got)
	}
}

// TestEnded counts endings while a programme waits for them.
func TestEnded(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.ask("a")
	s.DeadLetter("a", "too_large")
	s.ask("b")
	if ended, attempted := s.Ended(); ended != 1 || attempted != 2 {
		t.Errorf("got %d of %d, want 1 of 2", ended, attempted)
	}
}
