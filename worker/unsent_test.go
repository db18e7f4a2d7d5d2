package worker_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
)

// TestReplyThatCannotBeSent asks for replies on a queue that wants a session,
// without naming one: the broker refuses each of them. The jobs end with
// reasons of ours and not of the broker.
func TestReplyThatCannotBeSent(t *testing.T) {
	tests := []struct {
		name   string
		change func(body string) string
		reason schema.Code
	}{
		{"of a good job", func(body string) string { return body }, schema.CodeAttemptsExhausted},
		{"of an invalid job", func(body string) string { return strings.Replace(body, `"sign"`, `"melt"`, 1) }, schema.CodeInvalidJob},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			virtual(t, func(t *testing.T, r *rig) {
				r.start()
				r.send(queue.Message{ID: "m", ReplyTo: "private", Body: []byte(tt.change(string(r.encode(job("j", 1)))))})
				dead := r.take(r.receiver(servicebus.DeadLetters("jobs")))
				if got := dead.Properties["DeadLetterReason"]; got != string(tt.reason) {
					t.Errorf("dead letter has reason %q, want %q", got, tt.reason)
				}
				r.stillWorks()
			})
		})
	}
}

// TestReplyAddressThatCannotBe is refused before the vault is asked, and the
// refusal goes out without the part that cannot be sent.
func TestReplyAddressThatCannotBe(t *testing.T) {
	tests := map[string]queue.Message{
		"session too long":     {ID: "m", ReplyToSessionID: strings.Repeat("é", 129)},
		"correlation too long": {ID: "m", CorrelationID: strings.Repeat("c", 20000)},
	}
	for name, m := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T, r *rig) {
				r.start()
				m.Body = r.encode(job("j", 1))
				r.send(m)
				result, d := r.reply()
				if e := result.Items[0].Error; e == nil || e.Code != schema.CodeReplyNotAllowed {
					t.Errorf("item has error %+v, want %s", e, schema.CodeReplyNotAllowed)
				}
				if d.CorrelationID != "m" || d.SessionID != "" {
					t.Errorf("reply has correlation %q and session %q, want m and none", d.CorrelationID, d.SessionID)
				}
				if got := r.vault.Stats().Operations["sign"]; got != 0 {
					t.Errorf("the vault signed %d times", got)
				}
			})
		})
	}
}

func TestNewRefusesAMissingSender(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.config.Replies["further"] = nil
	if _, err := worker.New(r.config); err == nil || !strings.Contains(err.Error(), `"further"`) {
		t.Errorf("got %v, want an error about the queue further", err)
	}
}

// journal is where a worker logs.
type journal struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// journal has the worker log to where a test can read it.
func (r *rig) journal() *journal {
	j := &journal{}
	r.config.Log = slog.New(slog.NewTextHandler(j, nil))
	return j
}

func (j *journal) lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Split(strings.TrimSpace(j.text.String()), "\n")
}

// TestOneEventTellsAnOutcomeAndItsCause runs one job to its end and reads what
// was logged about it.
func TestOneEventTellsAnOutcomeAndItsCause(t *testing.T) {
	tests := []struct {
		name   string
		change func(*rig, *queue.Message)
		want   []string // in the one event for each delivery
		events int
	}{
		{"answered", func(*rig, *queue.Message) {}, []string{"job answered", "succeeded"}, 1},
		{"refused by the vault", func(r *rig, m *queue.Message) {
			j := job("j", 1)
			j.Key = "gone"
			m.Body = r.encode(j)
		}, []string{"job answered", "failed", "the vault answered 404"}, 1},
		{"signature spoilt", func(r *rig, _ *queue.Message) {
			r.vault.SetFaults(localvault.Faults{WrongSignature: 1})
		}, []string{"job answered", "failed", "does not verify"}, 1},
		{"reply refused", func(_ *rig, m *queue.Message) { m.ReplyTo = "private" }, []string{"reply not sent"}, 3},
		{"answer to an invalid job refused", func(_ *rig, m *queue.Message) {
			m.ReplyTo, m.Body = "private", bytes.Replace(m.Body, []byte("sign"), []byte("melt"), 2)
		}, []string{"reply not sent"}, 3},
		{"vault fails", func(r *rig, _ *queue.Message) {
			r.config.JobTimeout = 5 * time.Second
			r.vault.SetFaults(localvault.Faults{Fail: 10000})
		}, []string{"the vault answered 503"}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			virtual(t, func(t *testing.T, r *rig) {
				log := r.journal()
				m := queue.Message{ID: "m", Body: r.encode(job("j", 1))}
				tt.change(r, &m)
				r.start()
				r.send(m)
				<-time.After(10 * time.Minute)
				lines := log.lines()
				if len(lines) != tt.events {
					t.Errorf("got %d events, want %d: %q", len(lines), tt.events, lines)
				}
				for _, line := range lines {
					for _, want := range tt.want {
						if !strings.Contains(line, want) {
							t.Errorf("event %q does not tell of %q", line, want)
						}
					}
				}
			})
		})
	}
}

// TestDrainDoesNotWaitToGiveBack drains while a job rests between its failure
// and its return.
func TestDrainDoesNotWaitToGiveBack(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.config.Jobs = r.receiver("elsewhere")
		r.config.MaxDeliveries, r.config.JobTimeout = 10, 100*time.Millisecond
		r.vault.SetFaults(localvault.Faults{Fail: 100000})
		drain := r.start()
		to := r.sender("elsewhere")
		for i := range 20 {
			r.must(to.Send(t.Context(), queue.Message{ID: "m", Body: r.encode(job(string(rune('a'+i)), 1))}))
		}
		<-time.After(20 * time.Second)
		began := time.Now()
		drain()
		if took := time.Since(began); took > time.Second {
			t.Errorf("drain took %v, want no longer than the attempts under way", took)
		}
	})
}
