package worker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/signmill/signmill/queue"
)

// picky is a Sender that refuses each call with a message named bad, and does
// not answer one with a message named slow.
type picky struct{ calls []string }

func (p *picky) Send(ctx context.Context, messages ...queue.Message) error {
	var ids []string
	for _, m := range messages {
		ids = append(ids, m.ID)
	}
	p.calls = append(p.calls, strings.Join(ids, "+"))
	if slices.Contains(ids, "slow") {
		<-ctx.Done()
		return ctx.Err()
	}
	if slices.Contains(ids, "bad") {
		return errors.New("bad message")
	}
	return nil
}

func (*picky) Close(context.Context) error { return nil }

// TestBatch sends replies that wait together: all at once, and each alone when
// the broker refused that, but not when its time is over.
func TestBatch(t *testing.T) {
	tests := []struct {
		name         string
		ids          string
		calls, fails []string
	}{
		{"all is well", "a b c", []string{"a+b+c"}, nil},
		{"one is refused", "a bad c", []string{"a+bad+c", "a", "bad", "c"}, []string{"bad"}},
		{"one alone is refused", "bad", []string{"bad"}, []string{"bad"}},
		{"no answer", "a slow c", []string{"a+slow+c"}, []string{"a", "slow", "c"}},
		{"no answer to one alone", "bad slow c", []string{"bad+slow+c"}, []string{"bad", "slow", "c"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &picky{}
				o := newOutbox(p)
				var letters []*letter
				for id := range strings.FieldsSeq(tt.ids) {
					letters = append(letters, o.enter(queue.Message{ID: id}))
				}
				o.carry(t.Context(), o.takeBatch(letters[0]))
				var fails []string
				for _, l := range letters {
					if err := <-l.sent; err != nil {
						fails = append(fails, l.message.ID)
					}
				}
				if !slices.Equal(p.calls, tt.calls) || !slices.Equal(fails, tt.fails) {
					t.Errorf("got calls %q and failures %q, want %q and %q", p.calls, fails, tt.calls, tt.fails)
				}
			})
		})
	}
}

// TestTakeBatch takes those that have waited longest, as many as travel
// together, and nothing for a reply that waits no more.
func TestTakeBatch(t *testing.T) {
	t.Parallel()
	o := newOutbox(&picky{})
	var letters []*letter
	for range outboxBatch + 1 {
		letters = append(letters, o.enter(queue.Message{}))
	}
	if got := o.takeBatch(letters[outboxBatch]); !slices.Equal(got, letters[:outboxBatch]) {
		t.Errorf("got %d letters, want the first %d", len(got), outboxBatch)
	}
	if got := o.takeBatch(letters[0]); got != nil {
		t.Errorf("got %d letters for one that was taken, want none", len(got))
	}
	if !o.holds(letters[outboxBatch]) {
		t.Error("the last letter waits no more")
	}
}
