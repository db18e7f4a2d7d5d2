package worker

import (
	"testing"

	"github.com/signmill/signmill/queue"
)

// TestUnconfirmed knows a delivery again, and nothing else for it.
func TestUnconfirmed(t *testing.T) {
	t.Parallel()
	message := queue.Message{ID: "id", ReplyTo: "replies", ReplyToSessionID: "mine", CorrelationID: "c", Body: []byte("body")}
	delivery := func(sequence int64, change func(*queue.Message)) *queue.Delivery {
		m := message
		change(&m)
		return queue.NewDelivery(m, queue.Receipt{SequenceNumber: sequence}, nil)
	}
	same := func(*queue.Message) {}
	tests := map[string]struct {
		from  string
		again *queue.Delivery
		known bool
	}{
		"the same":            {"jobs", delivery(1, same), true},
		"another sequence":    {"jobs", delivery(2, same), false},
		"another queue":       {"urgent", delivery(1, same), false},
		"another body":        {"jobs", delivery(1, func(m *queue.Message) { m.Body = []byte("bodY") }), false},
		"another id":          {"jobs", delivery(1, func(m *queue.Message) { m.ID = "iD" }), false},
		"another reply queue": {"jobs", delivery(1, func(m *queue.Message) { m.ReplyTo = "" }), false},
		"another session":     {"jobs", delivery(1, func(m *queue.Message) { m.ReplyToSessionID = "" }), false},
		"another correlation": {"jobs", delivery(1, func(m *queue.Message) { m.CorrelationID = "d" }), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUnconfirmed(10)
			want := queue.Settlement{Outcome: queue.DeadLetter, Reason: "r", Description: "d"}
			u.add("jobs", delivery(1, same), want)
			got, known := u.take(tt.from, tt.again)
			if known != tt.known || known && got != want {
				t.Errorf("got %+v and %t, want %+v and %t", got, known, want, tt.known)
			}
			if _, twice := u.take(tt.from, tt.again); twice {
				t.Error("it is known after it was taken")
			}
		})
	}
}

// TestUnconfirmedIsBounded remembers the newest.
func TestUnconfirmedIsBounded(t *testing.T) {
	t.Parallel()
	u := newUnconfirmed(3)
	of := func(n int64) *queue.Delivery {
		return queue.NewDelivery(queue.Message{}, queue.Receipt{SequenceNumber: n}, nil)
	}
	for _, n := range []int64{1, 2, 3, 1, 4, 5} {
		u.add("jobs", of(n), queue.Settlement{Outcome: queue.Complete})
	}
	if len(u.known) != 3 || u.oldest.Len() != 3 {
		t.Errorf("%d and %d are kept, want 3", len(u.known), u.oldest.Len())
	}
	for n, want := range map[int64]bool{1: true, 2: false, 3: false, 4: true, 5: true} {
		if _, known := u.take("jobs", of(n)); known != want {
			t.Errorf("delivery %d: known %t, want %t", n, known, want)
		}
	}
}
