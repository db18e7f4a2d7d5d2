package queue

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"
)

// broker is a Lock that records what reaches it.
type broker struct {
	settled atomic.Int32
	renewed atomic.Int32
	last    Settlement    // of the latest Settle; read only after it returned
	err     error         // what Settle returns
	hold    chan struct{} // if not nil, Settle returns when it is closed
}

func (b *broker) Settle(_ context.Context, s Settlement) error {
	b.settled.Add(1)
	b.last = s
	if b.hold != nil {
		<-b.hold
	}
	return b.err
}

func (b *broker) Renew(context.Context) (time.Time, error) {
	b.renewed.Add(1)
	return time.Unix(1, 0), nil
}

func TestDeliverySettlesOnce(t *testing.T) {
	t.Parallel()
	calls := map[string]func(*Delivery) error{
		"complete":    func(d *Delivery) error { return d.Complete(t.Context()) },
		"abandon":     func(d *Delivery) error { return d.Abandon(t.Context()) },
		"dead-letter": func(d *Delivery) error { return d.DeadLetter(t.Context(), "reason", "description") },
	}
	outcomes := map[string]Outcome{"complete": Complete, "abandon": Abandon, "dead-letter": DeadLetter}
	for first, settle := range calls {
		for second, again := range calls {
			t.Run(first+" then "+second, func(t *testing.T) {
				t.Parallel()
				b := &broker{}
				d := NewDelivery(Message{}, Receipt{}, b)
				if err := settle(d); err != nil {
					t.Fatalf("first settlement: got %v, want nil", err)
				}
				if err := again(d); !errors.Is(err, ErrSettled) {
					t.Errorf("second settlement: got %v, want ErrSettled", err)
				}
				if got := b.settled.Load(); got != 1 {
					t.Errorf("settlements at the broker: got %d, want 1", got)
				}
				if b.last.Outcome != outcomes[first] {
					t.Errorf("outcome: got %d, want %d", b.last.Outcome, outcomes[first])
				}
			})
		}
	}
}

func TestDeliverySettlesOnceAmongConcurrentCallers(t *testing.T) {
	t.Parallel()
	const callers = 16
	b := &broker{hold: make(chan struct{})}
	d := NewDelivery(Message{}, Receipt{}, b)
	results := make(chan error, callers)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() { results <- d.Complete(t.Context()) })
	}
	for range callers - 1 { // all but the one that the broker holds
		if err := <-results; !errors.Is(err, ErrSettled) {
			t.Errorf("caller beside one under way: got %v, want ErrSettled", err)
		}
	}
	close(b.hold)
	wg.Wait()
	if err := <-results; err != nil {
		t.Errorf("caller that came through: got %v, want nil", err)
	}
	if got := b.settled.Load(); got != 1 {
		t.Errorf("settlements at the broker: got %d, want 1", got)
	}
}

func TestFailedSettlementMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	b := &broker{err: errors.New("connection is lost")}
	d := NewDelivery(Message{}, Receipt{}, b)
	if err := d.Complete(t.Context()); !errors.Is(err, b.err) {
		t.Fatalf("first try: got %v, want %v", err, b.err)
	}
	b.err = nil
	if err := d.Abandon(t.Context()); err != nil {
		t.Fatalf("second try: got %v, want nil", err)
	}
	if err := d.Complete(t.Context()); !errors.Is(err, ErrSettled) {
		t.Errorf("third try: got %v, want ErrSettled", err)
	}
	if got := b.settled.Load(); got != 2 {
		t.Errorf("settlements at the broker: got %d, want 2", got)
	}
}

func TestDeadLetterCutsTexts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text        string
		reason, described int // bytes that reach the broker
	}{
		{"empty", "", 0, 0},
		{"at the limit of a reason", strings.Repeat("r", 128), 128, 128},
		{"over the limit of a reason", strings.Repeat("r", 129), 128, 129},
		{"at the limit of a description", strings.Repeat("d", 1024), 128, 1024},
		{"over both", strings.Repeat("d", 1025), 128, 1024},
		{"two-byte characters on the boundary", "x" + strings.Repeat("é", 1024), 127, 1023},
		{"four-byte characters on the boundary", "x" + strings.Repeat("\U0001F511", 1024), 125, 1021},
		{"continuation bytes only", strings.Repeat("\x80", 2000), 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := &broker{}
			d := NewDelivery(Message{}, Receipt{}, b)
			if err := d.DeadLetter(t.Context(), test.text, test.text); err != nil {
				t.Fatal(err)
			}
			checkCut(t, "reason", b.last.Reason, test.text, test.reason)
			checkCut(t, "description", b.last.Description, test.text, test.described)
		})
	}
}

func checkCut(t *testing.T, what, got, text string, want int) {
	t.Helper()
	if len(got) != want {
		t.Errorf("%s: got %d bytes, want %d", what, len(got), want)
	}
	if !strings.HasPrefix(text, got) {
		t.Errorf("%s: got %q, which does not begin the text", what, got)
	}
	if utf8.ValidString(text) && !utf8.ValidString(got) {
		t.Errorf("%s: got a split character at the end of %q", what, got)
	}
}

func TestRenewEndsWithSettlement(t *testing.T) {
	t.Parallel()
	b := &broker{}
	d := NewDelivery(Message{}, Receipt{}, b)
	until, err := d.Renew(t.Context())
	if err != nil || !until.Equal(time.Unix(1, 0)) {
		t.Errorf("before settlement: got %v, %v, want the broker's answer", until, err)
	}
	if err := d.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Renew(t.Context()); !errors.Is(err, ErrSettled) {
		t.Errorf("after settlement: got %v, want ErrSettled", err)
	}
	if got := b.renewed.Load(); got != 1 {
		t.Errorf("renewals at the broker: got %d, want 1", got)
	}
}

func TestNewDeliveryKeepsMessageAndReceipt(t *testing.T) {
	t.Parallel()
	m := Message{ID: "id", Body: []byte("body"), TimeToLive: time.Minute}
	r := Receipt{Count: 3, SequenceNumber: 9, LockedUntil: time.Unix(5, 0)}
	d := NewDelivery(m, r, &broker{})
	if d.ID != m.ID || string(d.Body) != "body" || d.TimeToLive != m.TimeToLive {
		t.Errorf("message: got %+v, want %+v", d.Message, m)
	}
	if d.Receipt != r {
		t.Errorf("receipt: got %+v, want %+v", d.Receipt, r)
	}
}
