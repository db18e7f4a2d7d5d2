package broker_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

func TestNotifyInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		var told []string
		consumers := map[string]*broker.Consumer{}
		for _, name := range []string{"x", "y", "z"} {
			c, err := b.queue.Consume(broker.ConsumerConfig{Notify: func() { told = append(told, name) }})
			if err != nil {
				t.Fatal(err)
			}
			consumers[name] = c
		}
		want := func(words ...string) {
			t.Helper()
			if !slices.Equal(told, words) {
				t.Errorf("told %q, want %q", told, words)
			}
			told = nil
		}
		b.send("1")
		want() // nobody came away short yet
		b.takeFrom(consumers["y"], "1")
		b.takeFrom(consumers["x"])
		b.takeFrom(consumers["x"])
		b.takeFrom(consumers["z"])
		consumers["z"].Close()
		b.send("2", "3")
		want("y", "x")
		b.send("4")
		want() // once for each short take
		consumers["x"].Take(1)
		b.send("5")
		want() // it got all that it asked for
		got := b.takeFrom(consumers["x"], "3", "4", "5")
		b.settle(b.queue, abandon, got...)
		want("x")
	})
}

func TestNotifyWhenTimeBringsMessages(t *testing.T) {
	for name, prepare := range map[string]func(*bus){
		"scheduled": func(b *bus) {
			b.sendMessages(broker.Message{ID: "a", ScheduledAt: time.Now().Add(5 * time.Second)})
		},
		"scheduled twice": func(b *bus) {
			b.sendMessages(broker.Message{ID: "b", ScheduledAt: time.Now().Add(time.Hour)})
			b.sendMessages(broker.Message{ID: "a", ScheduledAt: time.Now().Add(5 * time.Second)})
		},
		"lock expired": func(b *bus) { b.send("a"); b.take(b.queue, "a") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBus(t, broker.Properties{LockDuration: 5 * time.Second})
				prepare(b)
				told := make(chan struct{}, 9)
				var c *broker.Consumer
				c, _ = b.queue.Consume(broker.ConsumerConfig{Notify: func() {
					c.Take(1) // calling back in must not lock up
					told <- struct{}{}
				}})
				start := time.Now()
				b.takeFrom(c)
				<-told
				if waited := time.Since(start); waited != 5*time.Second {
					t.Errorf("told after %v, want 5s", waited)
				}
			})
		})
	}
}

func TestNotifySessionHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		told := 0
		cfg := broker.SessionConfig{ID: "s", ConsumerConfig: broker.ConsumerConfig{Notify: func() { told++ }}}
		c, err := b.queue.AcceptSession(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		b.takeFrom(c)
		b.sendTo("other", "o1")
		if told != 0 {
			t.Error("told of another session's message")
		}
		b.sendTo("s", "1")
		if told != 1 {
			t.Errorf("told %d times, want 1", told)
		}
		got := b.takeFrom(c, "1")
		if err := b.queue.LoseLock(got[0].LockToken); err != nil {
			t.Fatal(err)
		}
		if told != 1 {
			t.Error("told after the session was lost")
		}
	})
}

func TestTakeLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("a", "b", "c")
		c := b.consume(b.queue, broker.PeekLock)
		for _, x := range []struct{ limit, want int }{{-1, 0}, {0, 0}, {2, 2}, {1 << 40, 1}, {5, 0}} {
			if got, err := c.Take(x.limit); len(got) != x.want || err != nil {
				t.Errorf("limit %d: took %d, want %d (%v)", x.limit, len(got), x.want, err)
			}
		}
	})
}

func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{RequiresDuplicateDetect: true})
		b.send("a")
		first := b.take(b.queue, "a")
		if err := b.queue.Duplicate(first[0].LockToken); err != nil {
			t.Fatal(err)
		}
		again := b.take(b.queue, "a")
		if again[0].SequenceNumber != 2 || again[0].DeliveryCount != 1 {
			t.Errorf("copy has number %d, count %d", again[0].SequenceNumber, again[0].DeliveryCount)
		}
		b.settle(b.queue, complete, first...)
		if err := b.queue.LoseLock(again[0].LockToken); err != nil {
			t.Fatal(err)
		}
		b.wantKind(b.queue.Settle(complete, again[0].LockToken), broker.LockLost)
		b.wantKind(b.queue.LoseLock(again[0].LockToken), broker.LockLost)
		b.wantKind(b.queue.Duplicate(again[0].LockToken), broker.LockLost)
		if n := b.take(b.queue, "a")[0].DeliveryCount; n != 2 {
			t.Errorf("delivery count %d, want 2", n)
		}
	})
}

func TestLoseLockOfASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendTo("s", "1", "2")
		lost := 0
		c, _ := b.queue.AcceptSession(t.Context(), broker.SessionConfig{ID: "s", Lost: func() { lost++ }})
		got := b.takeFrom(c, "1", "2")
		if err := b.queue.LoseLock(got[0].LockToken); err != nil || lost != 1 {
			t.Errorf("lost %d times, %v", lost, err)
		}
		pass(time.Minute)
		b.takeFrom(b.acceptNext("s"), "1", "2")
		if lost != 1 {
			t.Errorf("lost %d times, want 1", lost)
		}
	})
}

// newRandomBus makes a broker with a queue "jobs" on a source of tokens.
func newRandomBus(t *testing.T, source string) *bus {
	b := &bus{T: t, Broker: broker.New(broker.Config{Random: iotest.OneByteReader(strings.NewReader(source))})}
	t.Cleanup(b.Close)
	b.create("jobs", broker.Properties{})
	b.queue = b.open("jobs")
	return b
}

func TestTokensComeFromTheSource(t *testing.T) {
	b := newRandomBus(t, "0123456789abcdefABCDEFGHIJKLMNOP")
	b.send("a", "b")
	got := b.take(b.queue, "a", "b")
	if text := fmt.Sprintf("%s %s", got[0].LockToken, got[1].LockToken); text != "0123456789abcdef ABCDEFGHIJKLMNOP" {
		t.Errorf("tokens %q", text)
	}
}

func TestPoorTokensAreMadeUnique(t *testing.T) {
	b := newRandomBus(t, string(make([]byte, 300*16))+string(bytes.Repeat([]byte{0xff}, 2*16)))
	for range 302 {
		b.send("a")
	}
	got, err := b.consume(b.queue, broker.PeekLock).Take(1000)
	if err != nil || len(got) != 302 {
		t.Fatalf("took %d, %v", len(got), err)
	}
	seen := map[broker.Token]bool{{}: true}
	for _, d := range got {
		if seen[d.LockToken] {
			t.Errorf("token %x came twice or is zero", d.LockToken)
		}
		seen[d.LockToken] = true
	}
}

func TestNoRandomTakesNothing(t *testing.T) {
	b := newRandomBus(t, "0123456789abcdef0123456789abcdef")
	b.send("a", "b", "c")
	c := b.consume(b.queue, broker.PeekLock)
	_, err := c.Take(3)
	b.wantKind(err, broker.NoRandom)
	if errors.Unwrap(err) == nil {
		t.Errorf("error %v lacks its cause", err)
	}
	b.counts(broker.Counts{Active: 3, Total: 3})
	if got := b.takeFrom(b.consume(b.queue, broker.ReceiveAndDelete), "a", "b", "c"); got[0].DeliveryCount != 0 {
		t.Errorf("delivery count %d, want 0", got[0].DeliveryCount)
	}
	_, err = b.queue.Send(broker.Message{})
	b.wantKind(err, broker.NoRandom)
}

func TestNoRandomForDeferred(t *testing.T) {
	b := newRandomBus(t, strings.Repeat("0123456789abcde", 3)+"fgh")
	n := b.send("a", "b")
	b.settle(b.queue, deferral, b.take(b.queue, "a", "b")...)
	_, err := b.queue.ReceiveDeferred(broker.PeekLock, n...)
	b.wantKind(err, broker.NoRandom)
	if got, err := b.queue.ReceiveDeferred(broker.ReceiveAndDelete, n...); len(got) != 2 || err != nil {
		t.Errorf("received %d, %v", len(got), err)
	}
}
