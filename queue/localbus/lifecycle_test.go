package localbus_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue/localbus"
)

// bench is an SDK client with one sender and one receiver on queue "jobs".
type bench struct {
	t        *testing.T
	server   *localbus.Server
	client   *azservicebus.Client
	sender   *azservicebus.Sender
	receiver *azservicebus.Receiver
}

func newBench(t *testing.T, c localbus.Config) *bench {
	t.Helper()
	if c.Queues == nil {
		c.Queues = queues("jobs")
	}
	b := &bench{t: t, server: newServer(t, c)}
	b.client = memoryClient(t, b.server)
	var err error
	if b.sender, err = b.client.NewSender("jobs", nil); err != nil {
		t.Fatal(err)
	}
	if b.receiver, err = b.client.NewReceiverForQueue("jobs", nil); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) send(bodies ...string) {
	b.t.Helper()
	for _, body := range bodies {
		if err := b.sender.SendMessage(b.t.Context(), &azservicebus.Message{Body: []byte(body)}, nil); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) receive(n int) []*azservicebus.ReceivedMessage {
	b.t.Helper()
	return receiveAll(b.t, b.receiver, n)
}

// receiveAll collects n messages, in as many calls as it takes.
func receiveAll(t *testing.T, r interface {
	ReceiveMessages(context.Context, int, *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
}, n int) []*azservicebus.ReceivedMessage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all []*azservicebus.ReceivedMessage
	for len(all) < n {
		m, err := r.ReceiveMessages(ctx, n-len(all), nil)
		if err != nil {
			t.Fatalf("after %d of %d messages: %v", len(all), n, err)
		}
		all = append(all, m...)
	}
	return all
}

// none fails the test if a message arrives within a second.
func (b *bench) none() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Second)
	defer cancel()
	if m, err := b.receiver.ReceiveMessages(ctx, 1, nil); !errors.Is(err, context.DeadlineExceeded) {
		b.t.Errorf("got %d messages, error %v; want none", len(m), err)
	}
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func hasCode(err error, code azservicebus.Code) bool {
	e, ok := errors.AsType[*azservicebus.Error](err)
	return ok && e.Code == code
}

func TestLockExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{})
		b.send("one")
		first := b.receive(1)[0]
		<-time.After(61 * time.Second)
		second := b.receive(1)[0]
		if first.DeliveryCount != 1 || second.DeliveryCount != 2 {
			t.Errorf("delivery counts %d and %d, want 1 and 2", first.DeliveryCount, second.DeliveryCount)
		}
		if err := b.receiver.CompleteMessage(t.Context(), first, nil); !hasCode(err, azservicebus.CodeLockLost) {
			t.Errorf("late complete: error %v, want lock lost", err)
		}
		b.ok(b.receiver.RenewMessageLock(t.Context(), second, nil))
		<-time.After(50 * time.Second)
		b.ok(b.receiver.CompleteMessage(t.Context(), second, nil))
	})
}

func TestSettlements(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{})
		ctx := t.Context()
		b.send("abandon", "defer", "dead")
		m := b.receive(3)
		b.ok(b.receiver.AbandonMessage(ctx, m[0], &azservicebus.AbandonMessageOptions{PropertiesToModify: map[string]any{"try": int64(2)}}))
		b.ok(b.receiver.DeferMessage(ctx, m[1], nil))
		reason, text := "why", "because"
		b.ok(b.receiver.DeadLetterMessage(ctx, m[2], &azservicebus.DeadLetterOptions{Reason: &reason, ErrorDescription: &text}))

		again := b.receive(1)[0]
		if string(again.Body) != "abandon" || again.DeliveryCount != 2 || again.ApplicationProperties["try"] != int64(2) {
			t.Errorf("abandoned: %q, count %d, properties %v", again.Body, again.DeliveryCount, again.ApplicationProperties)
		}
		b.ok(b.receiver.CompleteMessage(ctx, again, nil))

		deferred, err := b.receiver.ReceiveDeferredMessages(ctx, []int64{*m[1].SequenceNumber}, nil)
		b.ok(err)
		if deferred[0].State != azservicebus.MessageStateDeferred || string(deferred[0].Body) != "defer" {
			t.Errorf("deferred: %q in state %d", deferred[0].Body, deferred[0].State)
		}
		b.ok(b.receiver.CompleteMessage(ctx, deferred[0], nil))

		graves, err := b.client.NewReceiverForQueue("jobs", &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter})
		b.ok(err)
		dead := receiveAll(t, graves, 1)[0]
		if *dead.DeadLetterReason != "why" || *dead.DeadLetterErrorDescription != "because" || *dead.DeadLetterSource != "jobs" {
			t.Errorf("dead letter: %v", dead.ApplicationProperties)
		}
		b.ok(graves.CompleteMessage(ctx, dead, nil))
		b.none()
	})
}

// A lock belongs to its token: another connection settles it after the first
// is gone. A message of the client's own making is settled by its token alone.
func TestLockSurvivesTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{})
		b.send("one")
		m := b.receive(1)[0]
		b.server.DropConnections()
		b.ok(b.receiver.CompleteMessage(t.Context(), &azservicebus.ReceivedMessage{LockToken: m.LockToken}, nil))
		b.none()
	})
}

func TestScheduleAndCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, localbus.Config{})
		ctx := t.Context()
		message := func(body string) *azservicebus.Message { return &azservicebus.Message{Body: []byte(body)} }
		numbers, err := b.sender.ScheduleMessages(ctx, []*azservicebus.Message{message("a"), message("b")}, time.Now().Add(time.Hour), nil)
		b.ok(err)
		peeked, err := b.receiver.PeekMessages(ctx, 5, nil)
		b.ok(err)
		if len(numbers) != 2 || len(peeked) != 2 || peeked[0].State != azservicebus.MessageStateScheduled {
			t.Fatalf("%d numbers, %d peeked", len(numbers), len(peeked))
		}
		b.ok(b.sender.CancelScheduledMessages(ctx, numbers[:1], nil))
		b.none()
		<-time.After(time.Hour)
		if m := b.receive(1)[0]; string(m.Body) != "b" {
			t.Errorf("got %q, want b", m.Body)
		}
		if err := b.sender.CancelScheduledMessages(ctx, numbers[1:], nil); !hasCode(err, azservicebus.CodeNotFound) {
			t.Errorf("late cancel: error %v, want not found", err)
		}
	})
}

func TestBatchAndLargeMessages(t *testing.T) {
	t.Parallel()
	b := newBench(t, localbus.Config{})
	batch, err := b.sender.NewMessageBatch(t.Context(), nil)
	b.ok(err)
	n := 0
	for ; ; n++ {
		err := batch.AddMessage(&azservicebus.Message{Body: make([]byte, 1000)}, nil)
		if errors.Is(err, azservicebus.ErrMessageTooLarge) {
			break
		}
		b.ok(err)
	}
	b.ok(b.sender.SendMessageBatch(t.Context(), batch, nil))
	if n != 243 {
		t.Errorf("batch took %d messages, want 243", n)
	}
	for _, m := range b.receive(n) {
		b.ok(b.receiver.CompleteMessage(t.Context(), m, nil))
	}
	large := bytes.Repeat([]byte("0123456789"), 26000)
	b.send(string(large))
	if m := b.receive(1)[0]; !bytes.Equal(m.Body, large) {
		t.Errorf("large message came back with %d bytes, want %d", len(m.Body), len(large))
	}
	err = b.sender.SendMessage(t.Context(), &azservicebus.Message{Body: make([]byte, 300000)}, nil)
	if !errors.Is(err, azservicebus.ErrMessageTooLarge) {
		t.Errorf("too large: error %v", err)
	}
}

func TestReceiveAndDelete(t *testing.T) {
	t.Parallel()
	b := newBench(t, localbus.Config{})
	b.send("one", "two")
	r, err := b.client.NewReceiverForQueue("jobs", &azservicebus.ReceiverOptions{ReceiveMode: azservicebus.ReceiveModeReceiveAndDelete})
	b.ok(err)
	for i, m := range receiveAll(t, r, 2) {
		if want := []string{"one", "two"}[i]; string(m.Body) != want {
			t.Errorf("message %d: got %q, want %q", i, m.Body, want)
		}
	}
	left, err := b.receiver.PeekMessages(t.Context(), 5, nil)
	b.ok(err)
	if len(left) != 0 {
		t.Errorf("%d messages left, want 0", len(left))
	}
}

func TestUnknownQueue(t *testing.T) {
	t.Parallel()
	b := newBench(t, localbus.Config{})
	sender, err := b.client.NewSender("nowhere", nil)
	b.ok(err)
	if err := sender.SendMessage(t.Context(), &azservicebus.Message{}, nil); !hasCode(err, azservicebus.CodeNotFound) {
		t.Errorf("error %v, want not found", err)
	}
}

func TestMissingRights(t *testing.T) {
	t.Parallel()
	rules := []localbus.Rule{
		{Name: "RootManageSharedAccessKey", Key: "SAS_KEY_VALUE", Rights: localbus.RightListen},
	}
	b := newBench(t, localbus.Config{Rules: rules})
	err := b.sender.SendMessage(t.Context(), &azservicebus.Message{}, nil)
	if !hasCode(err, azservicebus.CodeUnauthorizedAccess) {
		t.Errorf("send: error %v, want unauthorized", err)
	}
	if _, err := b.receiver.PeekMessages(t.Context(), 1, nil); err != nil {
		t.Errorf("peek: error %v", err)
	}
	if _, err := b.sender.ScheduleMessages(t.Context(), []*azservicebus.Message{{}}, time.Now(), nil); !hasCode(err, azservicebus.CodeUnauthorizedAccess) {
		t.Errorf("schedule: error %v, want unauthorized", err)
	}
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	b := newBench(t, localbus.Config{Rules: []localbus.Rule{{Name: "RootManageSharedAccessKey", Key: "other", Rights: localbus.RightSend}}})
	err := b.sender.SendMessage(t.Context(), &azservicebus.Message{}, nil)
	if !hasCode(err, azservicebus.CodeUnauthorizedAccess) {
		t.Errorf("error %v, want unauthorized", err)
	}
}
