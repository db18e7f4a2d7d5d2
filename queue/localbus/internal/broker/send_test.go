package broker_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

func TestSendRefusals(t *testing.T) {
	long := strings.Repeat("é", 129)
	for name, c := range map[string]struct {
		properties broker.Properties
		message    broker.Message
		want       broker.Kind
	}{
		"too large":           {broker.Properties{MaxMessageBytes: 2000}, broker.Message{Size: 2001}, broker.TooLarge},
		"size from bare":      {broker.Properties{MaxMessageBytes: 2000}, broker.Message{Bare: make([]byte, 2001)}, broker.TooLarge},
		"just fits":           {broker.Properties{MaxMessageBytes: 2000}, broker.Message{Size: 2000}, 0},
		"queue full":          {broker.Properties{MaxSizeMegabytes: 1, MaxMessageBytes: 2 << 20}, broker.Message{Size: 1<<20 - 2*overhead + 1}, broker.Full},
		"just fills":          {broker.Properties{MaxSizeMegabytes: 1, MaxMessageBytes: 2 << 20}, broker.Message{Size: 1<<20 - 2*overhead}, 0},
		"disabled":            {broker.Properties{Status: broker.FullyDisabled}, broker.Message{}, broker.Disabled},
		"send disabled":       {broker.Properties{Status: broker.SendDisabled}, broker.Message{}, broker.Disabled},
		"receive disabled":    {broker.Properties{Status: broker.ReceiveDisabled}, broker.Message{}, 0},
		"no session":          {broker.Properties{RequiresSession: true}, broker.Message{}, broker.SessionRequired},
		"empty session":       {broker.Properties{RequiresSession: true}, broker.Message{HasSession: true}, 0},
		"session not needed":  {broker.Properties{}, broker.Message{HasSession: true, SessionID: "s"}, 0},
		"long message id":     {broker.Properties{}, broker.Message{ID: long}, broker.Invalid},
		"longest message id":  {broker.Properties{}, broker.Message{ID: long[2:]}, 0},
		"long session id":     {broker.Properties{}, broker.Message{SessionID: long, HasSession: true}, broker.Invalid},
		"long partition key":  {broker.Properties{}, broker.Message{PartitionKey: long}, broker.Invalid},
		"to the dead letters": {broker.Properties{}, broker.Message{}, broker.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBus(t, c.properties)
				q := b.queue
				if name == "to the dead letters" {
					q = b.dead
				}
				_, err := q.Send(broker.Message{HasSession: true}, c.message)
				b.wantKind(err, c.want)
				want := 2
				if err != nil {
					want = 0
				}
				if d, _ := b.Get("jobs"); d.Total != want {
					t.Errorf("%d messages, want %d: a batch is all or nothing", d.Total, want)
				}
			})
		})
	}
}

func TestSendCountsDeadLettersAgainstTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{MaxSizeMegabytes: 1, MaxMessageBytes: 1 << 20})
		b.sendMessages(broker.Message{ID: "a", Size: 1<<20 - overhead})
		b.settle(b.queue, broker.Settlement{Outcome: broker.DeadLetter}, b.take(b.queue, "a")...)
		if d, _ := b.Get("jobs"); d.SizeBytes != 1<<20 {
			t.Errorf("size %d, want %d", d.SizeBytes, 1<<20)
		}
		_, err := b.queue.Send(broker.Message{Size: 1})
		b.wantKind(err, broker.Full)
		b.settle(b.dead, complete, b.take(b.dead, "a")...)
		b.sendMessages(broker.Message{Size: 1})
		if d, _ := b.Get("jobs"); d.SizeBytes != 1+overhead {
			t.Errorf("size %d, want %d", d.SizeBytes, 1+overhead)
		}
	})
}

func TestSendFillsTheMessageID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.sendMessages(broker.Message{}, broker.Message{}, broker.Message{ID: "own"})
		c := b.consume(b.queue, broker.PeekLock)
		got, err := c.Take(3)
		if err != nil || len(got) != 3 {
			t.Fatalf("took %d, %v", len(got), err)
		}
		if len(got[0].ID) != 32 || got[0].ID == got[1].ID || !got[0].IDFilled {
			t.Errorf("ids %q and %q, filled %t", got[0].ID, got[1].ID, got[0].IDFilled)
		}
		if got[2].ID != "own" || got[2].IDFilled {
			t.Errorf("id %q, filled %t", got[2].ID, got[2].IDFilled)
		}
	})
}

func TestMessageIsPassedThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.sendMessages(broker.Message{
			ID: "a", PartitionKey: "p", Durable: true, Priority: 7, Bare: []byte("bare"), Size: 99,
			Annotations:         []broker.Property{{Key: "x-opt-mine", Value: 1}},
			DeliveryAnnotations: []broker.Property{{Key: "hop", Value: "by hop"}},
		})
		d := b.take(b.queue, "a")[0]
		if d.PartitionKey != "p" || !d.Durable || d.Priority != 7 || string(d.Bare) != "bare" || d.Size != 99 {
			t.Errorf("message %+v", *d.Message)
		}
		if d.Annotations[0].Value != 1 || d.DeliveryAnnotations[0].Value != "by hop" {
			t.Errorf("annotations %v and %v", d.Annotations, d.DeliveryAnnotations)
		}
	})
}

func TestDuplicateDetection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{RequiresDuplicateDetect: true, DuplicateDetectionWindow: 20 * time.Second})
		if n := b.send("a", "b", "a"); !slices.Equal(n, []int64{1, 2, 3}) {
			t.Errorf("numbers %v, want three different ones", n)
		}
		pass(10 * time.Second)
		b.send("a")
		b.sendMessages(broker.Message{ID: "a", PartitionKey: "p"})
		b.sendMessages(broker.Message{ID: "b", ScheduledAt: time.Now().Add(time.Second)})
		b.sendMessages(broker.Message{ID: "c", ScheduledAt: time.Now().Add(time.Hour)})
		b.send("c")
		b.counts(broker.Counts{Active: 3, Scheduled: 1, Total: 4})
		b.settle(b.queue, complete, b.take(b.queue, "a", "b", "a")...)

		pass(10*time.Second - 1)
		b.send("a") // still inside the window of the first, consumed or not
		b.take(b.queue)
		pass(1)
		b.send("a")
		b.take(b.queue, "a")
	})
}

func TestDuplicatesAreNotDetectedUnasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("a", "a")
		b.take(b.queue, "a", "a")
	})
}

func TestRefusedBatchLeavesNoTraceInTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{RequiresDuplicateDetect: true, MaxMessageBytes: 1024})
		_, err := b.queue.Send(broker.Message{ID: "a"}, broker.Message{ID: "b", Size: 1025})
		b.wantKind(err, broker.TooLarge)
		b.send("a")
		b.take(b.queue, "a")
	})
}

func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		start := time.Now()
		scheduled := b.sendMessages(
			broker.Message{ID: "late", ScheduledAt: start.Add(10 * time.Second), TTL: 5 * time.Second},
			broker.Message{ID: "past", ScheduledAt: start.Add(-time.Hour)},
		)
		b.counts(broker.Counts{Active: 1, Scheduled: 1, Total: 2})
		seen, _ := b.queue.Peek(broker.Browse{Limit: 10})
		if len(seen) != 2 || seen[0].State != broker.StateScheduled || seen[0].SequenceNumber != scheduled[0] {
			t.Fatalf("peek shows %+v", seen)
		}
		b.settle(b.queue, complete, b.take(b.queue, "past")...)
		pass(9 * time.Second)
		b.send("on time")
		pass(time.Second)
		got := b.take(b.queue, "on time", "late")
		late := got[1]
		if late.SequenceNumber != 4 || late.State != broker.StateActive {
			t.Errorf("number %d, state %d, want a new number at the end", late.SequenceNumber, late.State)
		}
		if want := start.Add(10 * time.Second); !late.EnqueuedAt.Equal(want) || !late.ExpiresAt.Equal(want.Add(5*time.Second)) {
			t.Errorf("enqueued %v, expires %v", late.EnqueuedAt, late.ExpiresAt)
		}
	})
}

func TestCancelScheduled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		at := time.Now().Add(time.Minute)
		n := b.sendMessages(broker.Message{ID: "a", ScheduledAt: at}, broker.Message{ID: "b", ScheduledAt: at}, broker.Message{ID: "c"})
		b.wantKind(b.queue.CancelScheduled(n[0], n[2]), broker.MessageNotFound)
		b.wantKind(b.queue.CancelScheduled(n[0], 99), broker.MessageNotFound)
		if err := b.queue.CancelScheduled(n[0], n[0]); err != nil {
			t.Fatal(err)
		}
		b.wantKind(b.queue.CancelScheduled(n[0]), broker.MessageNotFound)
		pass(time.Minute)
		b.take(b.queue, "c", "b")
		b.wantKind(b.queue.CancelScheduled(n[1]), broker.MessageNotFound)
	})
}

func TestTimeToLive(t *testing.T) {
	for name, c := range map[string]struct {
		message, queue, want time.Duration
	}{
		"none":            {0, 0, 0},
		"message":         {time.Second, 0, time.Second},
		"queue":           {0, time.Second, time.Second},
		"message shorter": {time.Second, time.Minute, time.Second},
		"queue shorter":   {time.Minute, time.Second, time.Second},
		"negative":        {-time.Second, time.Minute, time.Minute},
		"longest":         {1<<63 - 1, 0, 1<<63 - 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBus(t, broker.Properties{DefaultTimeToLive: c.queue})
				b.sendMessages(broker.Message{ID: "a", TTL: c.message})
				d := b.take(b.queue, "a")[0]
				if d.TimeToLive != c.want {
					t.Errorf("time to live %v, want %v", d.TimeToLive, c.want)
				}
				if c.want == 0 != d.ExpiresAt.IsZero() || c.want > 0 && !d.ExpiresAt.Equal(time.Now().Add(c.want)) {
					t.Errorf("expires %v", d.ExpiresAt)
				}
			})
		})
	}
}

func TestExpiredMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{DefaultTimeToLive: time.Second})
		b.send("a")
		pass(time.Second - 1)
		b.counts(broker.Counts{Active: 1, Total: 1})
		pass(1)
		b.counts(broker.Counts{})
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{DefaultTimeToLive: time.Second, DeadLetterOnExpiration: true})
		b.send("a")
		pass(time.Second)
		b.take(b.queue)
		d := b.take(b.dead, "a")[0]
		if got, want := overlay(d, "DeadLetterReason"), "TTLExpiredException"; got != want {
			t.Errorf("reason %q, want %q", got, want)
		}
		pass(time.Hour)
		b.take(b.dead, "a") // dead letters do not expire
	})
}

func TestLockOutlivesTheMessage(t *testing.T) {
	for name, c := range map[string]struct {
		end  broker.Settlement
		want broker.Counts
	}{
		"completed": {complete, broker.Counts{}},
		"abandoned": {abandon, broker.Counts{DeadLetter: 1, Total: 1}},
		"released":  {release, broker.Counts{DeadLetter: 1, Total: 1}},
		"deferred":  {deferral, broker.Counts{Deferred: 1, Total: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBus(t, broker.Properties{DefaultTimeToLive: time.Second, DeadLetterOnExpiration: true})
				b.send("a")
				got := b.take(b.queue, "a")
				pass(10 * time.Second)
				b.settle(b.queue, c.end, got...)
				b.counts(c.want)
			})
		})
	}
}

func TestExpiredMessageIsNotAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{DefaultTimeToLive: time.Second})
		b.send("a")
		got := b.take(b.queue, "a")
		told := 0
		c, err := b.queue.Consume(broker.ConsumerConfig{Notify: func() { told++ }})
		if err != nil {
			t.Fatal(err)
		}
		b.takeFrom(c)
		pass(time.Second)
		b.settle(b.queue, abandon, got...)
		if told != 0 {
			t.Error("told of a message whose life is over")
		}
	})
}

func TestErrorText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{MaxMessageBytes: 1024})
		_, err := b.queue.Send(broker.Message{Size: 2000})
		if got, want := err.Error(), "send on queue jobs: too large: message of 2000 bytes, limit 1024"; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		_, err = b.Create("jobs", broker.Properties{LockDuration: time.Second, MaxDeliveryCount: -1})
		for _, want := range []string{"LockDuration is 1s, want 5s to 5m0s", "MaxDeliveryCount is -1"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q lacks %q", err, want)
			}
		}
		if got := broker.KindOf(errors.New("other")); got != 0 {
			t.Errorf("kind %v, want none", got)
		}
		if broker.Kind(-1).String() != "unknown" || broker.Kind(99).String() != "unknown" {
			t.Error("unknown kinds have no name")
		}
	})
}
