package worker_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
	"github.com/signmill/signmill/worker/audit"
)

// auditLine is what tests read of a line.
type auditLine struct {
	Event, Job, Item, Alias, KID, Operation, Algorithm, Digest, Made, Queue, Producer, Message, Outcome string
	Delivery                                                                                            int
	Requests                                                                                            []struct{ Client, Vault string }
}

// audited gives the worker an audit log that writes to out.
func (r *rig) audited(out io.Writer) *audit.Log {
	r.t.Helper()
	l, err := audit.Open(audit.Config{Out: out, Log: r.config.Log})
	r.must(err)
	r.t.Cleanup(l.Close)
	r.config.Audit = l
	return l
}

// auditLines reads a log that must be sound.
func (r *rig) auditLines(log *journal) (lines []auditLine) {
	r.t.Helper()
	v := audit.Verifier{Found: func(f audit.Finding) { r.t.Errorf("the audit log: %+v", f) }}
	r.must(v.File("log", strings.NewReader(strings.Join(log.lines(), "\n")+"\n")))
	for _, text := range log.lines()[1:] {
		var l auditLine
		r.must(json.Unmarshal([]byte(text), &l))
		lines = append(lines, l)
	}
	return lines
}

// identifying is a policy that knows its senders.
type identifying struct{ worker.Policy }

func (identifying) Identify(_ schema.Job, m queue.Message) string {
	who, _ := m.Properties["who"].(string)
	return who
}

// TestAudit follows a job of two items, one that is refused, and one that is no
// job at all.
func TestAudit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var log journal
		r.audited(&log)
		r.config.Policy = identifying{r.config.Policy}
		r.start()
		j := job("two", 2)
		r.send(queue.Message{ID: "m", Body: r.encode(j), Properties: map[string]any{"who": "billing"}})
		result, _ := r.reply()
		other := job("other", 1)
		other.Key = "nobody"
		r.submit(other)
		r.reply()
		r.send(queue.Message{ID: "bad", Body: []byte("{")})
		r.take(r.receiver(servicebus.DeadLetters("jobs")))

		lines := r.auditLines(&log)
		if len(lines) != 6 {
			t.Fatalf("got %d lines, want 6: %+v", len(lines), lines)
		}
		for i, item := range j.Items {
			intent, outcome := -1, -1
			for n, l := range lines[:4] {
				if l.Item != item.ID {
					continue
				}
				if l.Event == "intent" {
					intent = n
				} else {
					outcome = n
				}
				if l.Job != "two" || l.Alias != "ec" || l.KID != result.KID || l.Operation != "sign" || l.Algorithm != "ES256" || l.Queue != "jobs" ||
					l.Producer != "billing" || l.Message != "m" || l.Delivery != 1 || l.Digest != base64.RawURLEncoding.EncodeToString(item.Digest) {
					t.Errorf("item %d: got %+v", i, l)
				}
			}
			if intent < 0 || outcome < intent {
				t.Fatalf("item %d: got its intent at %d and its outcome at %d", i, intent, outcome)
			}
			if l := lines[outcome]; l.Outcome != "done" || l.Made != hashText(result.Items[i].Signature) || len(l.Requests) != 1 || len(l.Requests[0].Client) != 36 || l.Requests[0].Vault == "" {
				t.Errorf("item %d: got outcome %+v", i, l)
			}
			if l := lines[intent]; l.Outcome != "" || l.Made != "" || l.Requests != nil {
				t.Errorf("item %d: got intent %+v", i, l)
			}
		}
		if l := lines[4]; l.Event != "refused" || l.Job != "other" || l.Alias != "nobody" || l.Outcome != "key_not_allowed" || l.Operation != "sign" {
			t.Errorf("refused: got %+v", l)
		}
		if l := lines[5]; l.Event != "dead-letter" || l.Message != "bad" || l.Outcome != "not_json" {
			t.Errorf("dead letter: got %+v", l)
		}
	})
}

// TestAuditOfEachRequest repeats a request that the vault refuses, fails or
// answers in vain.
func TestAuditOfEachRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var log journal
		r.audited(&log)
		r.start()
		r.submit(job("the key is known then", 1))
		r.reply()
		r.vault.SetFaults(localvault.Faults{Throttle: 1, Fail: 1, DropAnswer: 1})
		r.submit(job("one", 1))
		r.reply()
		lines := r.auditLines(&log)
		last := lines[len(lines)-1]
		seen := map[string]bool{}
		for _, request := range last.Requests {
			seen[request.Client] = true
		}
		if last.Outcome != "done" || len(last.Requests) < 2 || len(seen) != len(last.Requests) || last.Requests[len(last.Requests)-1].Vault == "" {
			t.Errorf("got %+v, want each attempt by a name of its own", last)
		}
	})
}

// hashText is the SHA-256 of something as a log tells it.
func hashText(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// fullDisk takes so many writes and then none.
type fullDisk struct {
	journal
	left atomic.Int64
}

var errDisk = errors.New("no space left on device")

func (f *fullDisk) Write(p []byte) (int, error) {
	if f.left.Add(-1) < 0 {
		return 0, errDisk
	}
	return f.journal.Write(p)
}

// TestNothingIsSignedWithoutAudit has the log fail before the intent, and
// between intent and outcome: nothing is signed, or nothing of it is published.
func TestNothingIsSignedWithoutAudit(t *testing.T) {
	for writes, signed := range []int{0, 1} {
		t.Run(fmt.Sprint(writes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				var out fullDisk
				out.left.Store(int64(1 + writes)) // the genesis first
				l := r.audited(&out)
				r.start()
				r.submit(job("secretly", 1))
				<-l.Failed()
				if !errors.Is(l.Err(), errDisk) {
					t.Errorf("got %v, want that the disk is full", l.Err())
				}
				notice, d := r.reply() // the attempts are used up
				if d.ID == schema.ReplyID("secretly") || notice.Items[0].Signature != nil || notice.Items[0].Error.Code != schema.CodeUnavailable {
					t.Errorf("got %+v under the id %s, want a notice", notice, d.ID)
				}
				if got := r.vault.Stats().Operations["sign"]; got != signed {
					t.Errorf("got %d signatures made, want %d", got, signed)
				}
				refused := job("refused", 1)
				refused.Key = "nobody"
				r.submit(refused)
				dead := r.receiver(servicebus.DeadLetters("jobs"))
				for _, id := range []string{"secretly", "refused"} {
					if d := r.take(dead); d.ID != id {
						t.Errorf("got the dead letter %q, want %q", d.ID, id)
					}
				}
				r.empty("replies")
			})
		})
	}
}

// TestAuditSurvivesAPanic ends an item by a defect.
func TestAuditSurvivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var log journal
		r.audited(&log)
		r.config.Keys = broken{r.keys, new(atomic.Int32)}
		r.start()
		r.submit(job("defect", 1))
		r.reply()
		lines := r.auditLines(&log)
		if len(lines) != 2 || lines[1].Event != "outcome" || lines[1].Outcome != "internal" {
			t.Errorf("got %+v, want an outcome", lines)
		}
	})
}
