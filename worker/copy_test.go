package worker

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
)

// TestPastIsBelievedWithinBounds reads what a hostile sender may write.
func TestPastIsBelievedWithinBounds(t *testing.T) {
	t.Parallel()
	came := time.Now()
	before := came.Add(-time.Hour)
	tests := map[string]struct {
		properties map[string]any
		want       past
	}{
		"none":            {nil, past{0, came}},
		"honest":          {map[string]any{PropertyAttempts: int64(3), PropertyFirstEnqueued: before}, past{3, before}},
		"least":           {map[string]any{PropertyAttempts: int64(math.MinInt64)}, past{0, came}},
		"most":            {map[string]any{PropertyAttempts: int64(math.MaxInt64)}, past{9, came}},
		"no number":       {map[string]any{PropertyAttempts: "3", PropertyFirstEnqueued: "yesterday"}, past{0, came}},
		"unsigned":        {map[string]any{PropertyAttempts: uint64(math.MaxUint64)}, past{0, came}},
		"fraction":        {map[string]any{PropertyAttempts: math.NaN()}, past{0, came}},
		"from the future": {map[string]any{PropertyFirstEnqueued: came.Add(time.Hour)}, past{0, came}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := queue.NewDelivery(queue.Message{Properties: tt.properties}, queue.Receipt{EnqueuedAt: came}, nil)
			if got := pastOf(d, 10); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestCopy copies a message with every field set: all but what a copy must
// change is kept, also of fields that Message may get some day.
func TestCopy(t *testing.T) {
	t.Parallel()
	now := time.Now()
	original := queue.Message{
		ID: "id", CorrelationID: "correlation", ReplyTo: "replies", ReplyToSessionID: "mine", SessionID: "s", PartitionKey: "s",
		Queue: "jobs", Subject: "subject", ContentType: "application/json", ContentEncoding: "gzip", Body: []byte("{}"),
		Properties: map[string]any{"traceparent": "00-1-2-01", PropertyAttempts: int64(1)},
		TimeToLive: time.Hour, ScheduledAt: now.Add(-time.Minute),
	}
	value := reflect.ValueOf(original)
	for i := range value.NumField() {
		if value.Field(i).IsZero() {
			t.Fatalf("the test does not set %s", value.Type().Field(i).Name)
		}
	}
	d := queue.NewDelivery(original, queue.Receipt{SequenceNumber: 7, EnqueuedAt: now.Add(-time.Minute), ExpiresAt: now.Add(59 * time.Minute)}, nil)
	first := now.Add(-time.Hour)
	got := copyOf(d, past{3, first}, now, time.Minute)

	want := original
	want.ID, want.Queue = got.ID, ""
	want.Properties = map[string]any{"traceparent": "00-1-2-01", PropertyAttempts: int64(3), PropertyFirstEnqueued: first}
	want.TimeToLive, want.ScheduledAt = 58*time.Minute, now.Add(time.Minute)
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("got %s, want %s", g, w)
	}
	if n := d.Properties[PropertyAttempts]; n != int64(1) {
		t.Errorf("the original was changed: %v attempts", n)
	}
	d.CorrelationID, d.ExpiresAt, d.TimeToLive = "", time.Time{}, 0
	got = copyOf(d, past{}, now, 0)
	if got.CorrelationID != "id" || got.TimeToLive != 0 || !got.ScheduledAt.IsZero() {
		t.Errorf("got %+v, want the original's id as correlation, no expiry and no wait", got)
	}
}

// TestCopyID makes ids of messages that differ in little.
func TestCopyID(t *testing.T) {
	t.Parallel()
	id := func(name string, sequence int64, body string, attempts int) string {
		return copyID(queue.NewDelivery(queue.Message{ID: name, Body: []byte(body)}, queue.Receipt{SequenceNumber: sequence}, nil), attempts)
	}
	seen := map[string]bool{}
	for _, got := range []string{
		id("a", 1, "b", 1), id("a", 1, "b", 2), id("a", 2, "b", 1), id("ab", 1, "", 1), id("a", 1, "c", 1), id("", 1, "ab", 1),
		id("1 a", 1, "b", 1), id(strings.Repeat("é", 128), math.MaxInt64, "b", math.MaxInt),
	} {
		if seen[got] || len(got) > 128 {
			t.Errorf("id %q of %d bytes, want a new one of 128 at most", got, len(got))
		}
		seen[got] = true
	}
	if once, twice := id("a", 1, "b", 1), id("a", 1, "b", 1); once != twice {
		t.Error("two copies of one delivery have different ids")
	}
}
