package servicebus

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"github.com/signmill/signmill/queue"
)

// busy is a settling link on which the broker refuses a settlement for now and
// then falls silent, until it works. Like the client it reports success for
// every further settlement on the link of the message.
type busy struct {
	settling      // the rest is not called
	lasting  bool // locks survive
	works    bool
	onLink   int
	byToken  int
}

func (b *busy) CompleteMessage(_ context.Context, m *azservicebus.ReceivedMessage, _ *azservicebus.CompleteMessageOptions) error {
	if m.RawAMQPMessage == nil {
		b.byToken++
		return nil
	}
	b.onLink++
	if b.onLink == 1 {
		return &amqp.Error{Condition: "com.microsoft:server-busy"}
	}
	return nil
}

func (b *busy) renew(context.Context, *azservicebus.ReceivedMessage) (time.Time, error) {
	if !b.works {
		return time.Time{}, errors.New("no answer")
	}
	return time.Now(), nil
}

func (b *busy) survives() bool { return b.lasting }

// TestSettlementIsTriedOnTheLinkOnce guards against the client's success
// without asking the broker.
func TestSettlementIsTriedOnTheLinkOnce(t *testing.T) {
	t.Parallel()
	for _, lasting := range []bool{true, false} {
		t.Run(fmt.Sprint("locks survive: ", lasting), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { settleOnBusyLink(t, &busy{lasting: lasting}) })
		})
	}
}

func settleOnBusyLink(t *testing.T, link *busy) {
	t.Helper()
	r := newReceiver(must(New(Config{ConnectionString: emulator})), plainQueue, nil, link)
	m := raw(func(*azservicebus.AMQPAnnotatedMessage) {})
	l := &lock{receiver: r, message: m, span: r.present()}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := l.Settle(ctx, queue.Settlement{Outcome: queue.Complete}); err == nil {
		t.Errorf("first: got nil, want an error")
	}
	link.works = true
	if err := l.Settle(t.Context(), queue.Settlement{Outcome: queue.Complete}); (err == nil) != link.lasting {
		t.Errorf("second: got %v, want nil only where the lock token is enough", err)
	}
	if link.onLink != 1 || (link.byToken == 1) != link.lasting {
		t.Errorf("settlements on the link, by token: got %d, %d", link.onLink, link.byToken)
	}
}
