package exchange

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// TestRepliesThatDoNotCount: a second reply, a late one and traces are passed
// over, and are gone.
func TestRepliesThatDoNotCount(t *testing.T) {
	tests := map[string]queue.Message{
		"a second one":        {CorrelationID: "run.1", Body: []byte("other")},
		"of an earlier try":   {CorrelationID: "run.0-99"},
		"traces":              {Subject: schema.TracesSubject},
		"traces of our job":   {Subject: schema.TracesSubject, CorrelationID: "run.2"},
		"traces of a session": {Subject: schema.TracesSubject, SessionID: schema.TracesSubject},
	}
	for name, message := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t, nil)
				done := r.start(t.Context(), t.Context(), 2)
				r.take(2)
				r.reply("run.1")
				<-time.After(time.Second)
				r.send(message)
				<-time.After(time.Second)
				r.reply("run.2")
				r.ends(done, nil, "[run.1:1:of run.1 run.2:2:of run.2]")
				if got := r.waits("replies"); got != 0 {
					t.Errorf("got %d replies left, want none", got)
				}
			})
		})
	}
}

// TestReplyToAnother: what is another's is given back, and the exchange ends, for
// it would meet it again and again.
func TestReplyToAnother(t *testing.T) {
	for _, id := range []string{"other.1", "running.1", "run", ""} {
		t.Run(id, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t, nil)
				done := r.start(t.Context(), t.Context(), 1)
				r.take(1)
				r.reply(id)
				err := <-done
				if err == nil || !strings.Contains(err.Error(), `the reply queue replies holds a reply to "`+id+`", which is not of this run`) {
					t.Errorf("got %v, want that a reply is another's", err)
				}
				others := r.receive(r.receiver("replies"), 1)
				if others[0].CorrelationID != id {
					t.Errorf("got a reply to %q, want that to %q", others[0].CorrelationID, id)
				}
			})
		})
	}
}

// TestSession: in a session of our own every reply is ours, and others' sessions
// are left alone.
func TestSession(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.ReplyTo, c.Session = "sessions", true })
		session, err := r.client.SessionReceiver(t.Context(), "sessions", "run")
		r.must(err)
		r.config.Replies = session
		done := r.start(t.Context(), t.Context(), 1)
		r.take(1)
		r.send(queue.Message{SessionID: "other", CorrelationID: "run.1"})
		r.reply("stray")
		<-time.After(time.Second)
		r.reply("run.1")
		r.ends(done, nil, "[run.1:1:of run.1]")
		other, err := r.client.SessionReceiver(t.Context(), "sessions", "other")
		r.must(err)
		if left := r.receive(other, 10); len(left) != 1 {
			t.Errorf("got %d replies in the other session, want 1", len(left))
		}
	})
}

// TestAnswerFails: a reply that could not be answered for ends the exchange and
// stays on the queue.
func TestAnswerFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.fail = errors.New("disk full")
		done := r.start(t.Context(), t.Context(), 2)
		r.take(2)
		r.reply("run.1")
		r.ends(done, r.fail, "[run.1:1:of run.1]")
		if got := r.waits("replies"); got != 1 {
			t.Errorf("got %d replies left, want 1", got)
		}
	})
}

// TestReplyQueueFails: a reply queue that is not there ends the exchange.
func TestReplyQueueFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.config.Replies = r.receiver("nowhere")
		err := <-r.start(t.Context(), t.Context(), 1)
		if err == nil || !strings.HasPrefix(err.Error(), "follow the replies: ") {
			t.Errorf("got %v, want that the replies cannot be followed", err)
		}
	})
}
