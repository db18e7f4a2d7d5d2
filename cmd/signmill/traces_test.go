package main

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/exchange"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// TestSubmittersSkipTraces: who takes results from a queue that also gets traces
// sees the results only.
func TestSubmittersSkipTraces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMill(t, nil)
		m.submit("before", 1)
		m.take("replies", 1)
		<-time.After(time.Minute) // its spans are on the queue
		jobs, err := m.client.Sender("jobs")
		must(t, err)
		replies, err := m.client.Receiver("replies")
		must(t, err)
		e := exchange.New[string](exchange.Config{
			ID: "run", Jobs: jobs, Replies: replies, ReplyTo: "replies", Window: 4, Patience: time.Minute, Log: slog.New(slog.DiscardHandler),
		})
		var answered []string
		must(t, e.Run(t.Context(), t.Context(), func(soft, ctx context.Context) error {
			job := schema.Job{ID: "run.1", Operation: schema.GetPublicKey, Key: "signmill", Items: []schema.Item{{ID: "1"}}}
			body, err := job.Encode(schema.Limits{})
			must(t, err)
			return e.Send(soft, ctx, queue.Message{ID: job.ID, Body: body}, "kept")
		}, func(_ context.Context, id, _ string, _ []byte) error {
			answered = append(answered, id)
			return nil
		}))
		if fmt.Sprint(answered) != "[run.1]" {
			t.Errorf("got answers to %v, want one to run.1", answered)
		}
	})
}
