package spanqueue

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// Reader takes messages with spans from a queue. From is required.
type Reader struct {
	From   queue.Receiver
	Advice string // what to do about a queue that holds something else
}

// Take decides what becomes of one message with spans, and settles it. Its error
// ends the reading. A settlement is to go on when ctx has ended.
type Take func(ctx context.Context, d *queue.Delivery) error

// settleTimeout bounds the settlement of a message.
const settleTimeout = 10 * time.Second

// Each hands the messages of the queue to take, one after the other, until ctx
// ends, which is no error. What is no trace is given back, and ends it.
func (r Reader) Each(ctx context.Context, take Take) error {
	for {
		deliveries, err := r.From.Receive(ctx, 1)
		if ctx.Err() != nil && len(deliveries) == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("take traces: %w", err)
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		for _, d := range deliveries {
			if d.Subject != schema.TracesSubject {
				err = errors.Join(err, r.stranger(), d.Abandon(last))
				continue
			}
			err = errors.Join(err, take(ctx, d))
		}
		cancel()
		if err != nil {
			return err
		}
	}
}

// stranger is what a message without spans means.
func (r Reader) stranger() error {
	return fmt.Errorf("the queue holds something else than traces, which was given back: %s", r.Advice)
}

// Show returns a take that shows the spans of each message, and completes it then.
// A message that cannot be read is set aside.
func Show(show func([]*tracepb.Span) error) Take {
	return func(ctx context.Context, d *queue.Delivery) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		defer cancel()
		data, err := unpack(d.Message)
		if err != nil {
			return d.DeadLetter(ctx, "not_otlp", err.Error())
		}
		if err := show(spansOf(data)); err != nil {
			return err
		}
		return d.Complete(ctx)
	}
}

// maxPlain bounds the spans of one message, decompressed.
const maxPlain = 64 << 20

// unpack returns the spans of a message.
func unpack(m queue.Message) ([]*tracepb.ResourceSpans, error) {
	var body io.Reader = bytes.NewReader(m.Body)
	if m.ContentEncoding == "gzip" {
		r, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("message %q: %w", m.ID, err)
		}
		body = r
	}
	plain, err := io.ReadAll(io.LimitReader(body, maxPlain))
	if err != nil {
		return nil, fmt.Errorf("message %q: %w", m.ID, err)
	}
	var data tracepb.TracesData
	if err := proto.Unmarshal(plain, &data); err != nil {
		return nil, fmt.Errorf("message %q is no OTLP request: %w", m.ID, err)
	}
	return data.ResourceSpans, nil
}

// spansOf returns all spans of a request.
func spansOf(data []*tracepb.ResourceSpans) (spans []*tracepb.Span) {
	for _, r := range data {
		for _, scope := range r.GetScopeSpans() {
			spans = append(spans, scope.GetSpans()...)
		}
	}
	return spans
}
