package broker_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

func TestForward(t *testing.T) {
	for name, target := range map[string]string{"name": "Next", "url": "https://host:443/next"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBus(t, broker.Properties{ForwardTo: target})
				b.create("next", broker.Properties{ForwardTo: "last", DefaultTimeToLive: time.Minute})
				b.create("last", broker.Properties{})
				_, err := b.queue.Consume(broker.ConsumerConfig{})
				b.wantKind(err, broker.Invalid)
				b.send("a")
				b.sendMessages(broker.Message{ID: "later", ScheduledAt: time.Now().Add(time.Second)})
				b.counts(broker.Counts{Scheduled: 1, Total: 1})
				pass(time.Second)
				synctest.Wait() // the broker's timer has forwarded, too
				b.send("b")
				b.counts(broker.Counts{})

				// One hop: what was forwarded stays in next.
				if _, err := b.Update("next", broker.Properties{}); err != nil {
					t.Fatal(err)
				}
				got := b.take(b.open("next"), "a", "later", "b")
				if d := got[2]; d.SequenceNumber != 3 || d.EnqueuedSequenceNumber != 4 || d.TimeToLive != time.Minute {
					t.Errorf("number %d, first number %d, time to live %v", d.SequenceNumber, d.EnqueuedSequenceNumber, d.TimeToLive)
				}
			})
		})
	}
}

func TestForwardFails(t *testing.T) {
	for name, next := range map[string]broker.Properties{
		"full":     {MaxSizeMegabytes: 1, MaxMessageBytes: 2 << 20},
		"small":    {MaxMessageBytes: 1024},
		"disabled": {Status: broker.SendDisabled},
		"session":  {RequiresSession: true},
		"missing":  {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBus(t, broker.Properties{ForwardTo: "next", MaxMessageBytes: 2 << 20})
				if name != "missing" {
					b.create("next", next)
				}
				b.sendMessages(broker.Message{ID: "a", Size: 1<<20 + 1})
				b.counts(broker.Counts{TransferDeadLetter: 1, Total: 1})
				d := b.take(b.transfer, "a")[0]
				if overlay(d, "DeadLetterReason") != "ForwardingFailed" || d.DeadLetterSource != "jobs" {
					t.Errorf("overlay %v, source %q", d.Overlay, d.DeadLetterSource)
				}
				if text := overlay(d, "DeadLetterErrorDescription").(string); !strings.HasPrefix(text, "forward on queue next: ") {
					t.Errorf("description %q", text)
				}
				b.settle(b.transfer, complete, d)
				b.counts(broker.Counts{})
			})
		})
	}
}

func TestForwardIntoDuplicateDetection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{ForwardTo: "next"})
		b.create("next", broker.Properties{RequiresDuplicateDetect: true})
		b.send("a", "a")
		b.take(b.open("next"), "a")
		b.counts(broker.Counts{})
	})
}

func TestForwardWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.create("next", broker.Properties{})
		b.send("a", "b", "c")
		c := b.consume(b.queue, broker.PeekLock)
		got, _ := c.Take(1)
		if _, err := b.Update("jobs", broker.Properties{ForwardTo: "next"}); err != nil {
			t.Fatal(err)
		}
		b.take(b.open("next"), "b", "c")
		b.settle(b.queue, abandon, got...)
		b.take(b.open("next"), "a")
	})
}

func TestForwardDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{ForwardDeadLettersTo: "https://host/graves"})
		b.send("a")
		dead := broker.Settlement{Outcome: broker.DeadLetter, Reason: "why"}
		b.settle(b.queue, dead, b.take(b.queue, "a")...)
		b.take(b.dead, "a") // no such queue yet: the dead letter is kept here

		b.create("graves", broker.Properties{})
		b.send("b")
		b.settle(b.queue, dead, b.take(b.queue, "b")...)
		b.counts(broker.Counts{DeadLetter: 1, Total: 1})
		d := b.take(b.open("graves"), "b")[0]
		if overlay(d, "DeadLetterReason") != "why" || d.DeadLetterSource != "jobs" || d.EnqueuedSequenceNumber != 2 {
			t.Errorf("overlay %v, source %q, first number %d", d.Overlay, d.DeadLetterSource, d.EnqueuedSequenceNumber)
		}
	})
}
