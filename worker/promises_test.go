package worker_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
)

// tally is what the checker counted.
type tally struct {
	Jobs, Items, Deliveries, Redeliveries int
	Strikes, LocksLost, Resent            int
	Results, Notices, DeadLetters, Twice  int
	Signatures, Signed, DroppedAnswers    int
}

func (t *tally) add(o tally) {
	for _, f := range []struct {
		sum *int
		n   int
	}{
		{&t.Jobs, o.Jobs}, {&t.Items, o.Items}, {&t.Deliveries, o.Deliveries}, {&t.Redeliveries, o.Redeliveries},
		{&t.Strikes, o.Strikes}, {&t.LocksLost, o.LocksLost}, {&t.Resent, o.Resent},
		{&t.Results, o.Results}, {&t.Notices, o.Notices}, {&t.DeadLetters, o.DeadLetters}, {&t.Twice, o.Twice},
		{&t.Signatures, o.Signatures}, {&t.Signed, o.Signed}, {&t.DroppedAnswers, o.DroppedAnswers},
	} {
		*f.sum += f.n
	}
}

// ending is a message that ends a job: its result, or its dead letter.
type ending struct {
	reason  string // of a dead letter; "" is a result
	message *azservicebus.ReceivedMessage
}

// peek looks at all messages of a queue, locked ones too, and changes nothing.
func (c *chaos) peek(name string) (all []*azservicebus.ReceivedMessage) {
	ctx := context.WithoutCancel(c.t.Context())
	client, err := azservicebus.NewClientFromConnectionString(emulator, &azservicebus.ClientOptions{
		NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
			return c.bus.Dial(ctx)
		},
	})
	c.must(err)
	defer client.Close(ctx)
	name, dead := strings.CutSuffix(name, servicebus.DeadLetters(""))
	options := &azservicebus.ReceiverOptions{}
	if dead {
		options.SubQueue = azservicebus.SubQueueDeadLetter
	}
	receiver, err := client.NewReceiverForQueue(name, options)
	c.must(err)
	for from := int64(0); ; {
		got, err := receiver.PeekMessages(ctx, 100, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &from})
		if err != nil {
			<-time.After(time.Second) // the faults are for everybody
			continue
		}
		if len(got) == 0 {
			return all
		}
		all = append(all, got...)
		from = *got[len(got)-1].SequenceNumber + 1
	}
}

// endings returns how each job ended, by the MessageID of its request.
func (c *chaos) endings() map[string][]ending {
	endings := map[string][]ending{}
	c.tally.Results, c.tally.Notices, c.tally.DeadLetters = 0, 0, 0
	for _, m := range slices.Concat(c.peek("results"), c.peek("replies")) {
		if id := *m.CorrelationID; m.MessageID == schema.ReplyID(id) {
			endings[id] = append(endings[id], ending{message: m})
			c.tally.Results++
		} else {
			c.tally.Notices++
		}
	}
	for _, m := range c.peek(servicebus.DeadLetters("chaos")) {
		reason := "none"
		if m.DeadLetterReason != nil {
			reason = *m.DeadLetterReason
		}
		id := m.MessageID
		if m.CorrelationID != nil {
			id = original(id, *m.CorrelationID)
		}
		endings[id] = append(endings[id], ending{reason, m})
		c.tally.DeadLetters++
	}
	return endings
}

// check compares what can be seen with the promises.
func (c *chaos) check() {
	c.t.Helper()
	c.alive()
	for id, j := range c.accepted {
		c.checkJob(id, j, c.endings()[id])
	}
	c.count()
	if c.tally.Signed > c.tally.Signatures {
		c.t.Errorf("seed %d: the vault signed %d times for %d items delivered", c.seed, c.tally.Signed, c.tally.Signatures)
	}
	c.t.Logf("seed %d: %+v", c.seed, c.tally)
}

// checkJob checks the endings of one job. A message that the broker has
// duplicated may end once for each copy; its result shows once all the same.
func (c *chaos) checkJob(id string, j schema.Job, endings []ending) {
	c.t.Helper()
	results, dead := 0, 0
	for _, e := range endings {
		if e.reason == "" {
			results++
			c.checkResult(id, j, e)
			continue
		}
		dead++
		if !slices.Contains(schema.DeadLetterReasons(), schema.Code(e.reason)) {
			c.t.Errorf("seed %d: dead letter of %q has the reason %q", c.seed, id, e.reason)
		}
	}
	copies := len(c.history.copies[id])
	if results > 1 || dead > copies || results+dead == 0 {
		c.t.Errorf("seed %d: %q with %d copies has %d results and %d dead letters", c.seed, id, copies, results, dead)
	}
	if results > 0 && dead > 0 {
		c.tally.Twice++
	}
}

// checkResult verifies what was published.
func (c *chaos) checkResult(id string, j schema.Job, e ending) {
	c.t.Helper()
	result, err := schema.DecodeResult(e.message.Body)
	if err != nil {
		c.t.Errorf("seed %d: result of %q: %v", c.seed, id, err)
		return
	}
	succeeded := j
	succeeded.Items = nil
	for i, item := range result.Items {
		if item.Error == nil {
			succeeded.Items = append(succeeded.Items, j.Items[i])
		} else if item.Error.Retryable {
			c.t.Errorf("seed %d: the result of %q has a passing error: %v", c.seed, id, item.Error)
		}
	}
	result.Items = slices.DeleteFunc(result.Items, func(i schema.ItemResult) bool { return i.Error != nil })
	if len(result.Items) > 0 {
		result.Status = schema.Succeeded
		c.verify(succeeded, result)
	}
}

// count sums up. Each delivery of a job may cost one signature for each item.
func (c *chaos) count() {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	for id, n := range c.history.deliveries {
		items := len(c.accepted[id].Items)
		c.tally.Jobs++
		c.tally.Items += items
		c.tally.Deliveries += n
		c.tally.Redeliveries += n - 1
		c.tally.Signatures += n * items
	}
	stats := c.vault.Stats()
	c.tally.Signed = stats.Operations["sign"]
	c.tally.DroppedAnswers = stats.Dropped

}
