package spanqueue

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/signmill/signmill/cmd/signmill/internal/otlp"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// sender puts spans on a queue, as OTLP requests in protobuf and gzip. It
// implements [otlptrace.Client]. Its own sends make no spans. It belongs to one
// goroutine.
type sender struct {
	queue   queue.Sender
	dropped func() int64 // spans lost so far, which each message tells; nil: it tells nothing
	packer  otlp.Packer
}

// kept is how long a message with spans waits for a reader.
const kept = time.Hour

// Properties of a message with spans.
const (
	propertySpans   = "spans"   // in the message
	propertyDropped = "dropped" // by the sender, since its start
)

// Start implements [otlptrace.Client].
func (s *sender) Start(context.Context) error { return nil }

// Stop implements [otlptrace.Client]. The sender's connection is its owner's.
func (s *sender) Stop(context.Context) error { return nil }

// UploadTraces implements [otlptrace.Client]. A request that is too large for
// the queue is sent in halves; a single span that is too large is lost. Its
// error is a [*lost].
func (s *sender) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	if n, err := s.send(ctx, spans); err != nil {
		return &lost{n, err}
	}
	return nil
}

// send returns how many spans are lost, and why.
func (s *sender) send(ctx context.Context, spans []*tracepb.ResourceSpans) (missing int, err error) {
	m, err := s.message(spans)
	if err == nil {
		err = s.queue.Send(ctx, m)
	}
	first, second := halve(spans)
	if !errors.Is(err, queue.ErrTooLarge) || second == nil {
		return countSpans(spans), err
	}
	n, err := s.send(ctx, first)
	if err != nil {
		missing = n
	}
	n, err2 := s.send(ctx, second)
	if err2 != nil {
		missing += n
	}
	return missing, errors.Join(err, err2)
}

// lost is why some spans of a batch, or all, were not sent.
type lost struct {
	n   int
	err error
}

func (l *lost) Error() string { return fmt.Sprintf("%d spans: %v", l.n, l.err) }
func (l *lost) Unwrap() error { return l.err }

// message makes a message whose id follows from its body, so that one that was
// sent twice is seen once. On a queue with sessions it is in one of its own; on
// others that tells nothing.
func (s *sender) message(spans []*tracepb.ResourceSpans) (queue.Message, error) {
	body, err := s.packer.Pack(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return queue.Message{}, err
	}
	hash := sha256.Sum256(body)
	m := queue.Message{
		ID:              "otlp-" + base64.RawURLEncoding.EncodeToString(hash[:]),
		SessionID:       schema.TracesSubject,
		Subject:         schema.TracesSubject,
		ContentType:     schema.TracesType,
		ContentEncoding: "gzip",
		Body:            body,
		Properties:      map[string]any{propertySpans: countSpans(spans)},
		TimeToLive:      kept,
	}
	if s.dropped != nil {
		m.Properties[propertyDropped] = s.dropped()
	}
	return m, nil
}

func countSpans(spans []*tracepb.ResourceSpans) (n int) {
	for _, r := range spans {
		for _, scope := range r.GetScopeSpans() {
			n += len(scope.GetSpans())
		}
	}
	return n
}

// halve cuts a request in two by spans. Second is nil when there is only one.
func halve(spans []*tracepb.ResourceSpans) (first, second []*tracepb.ResourceSpans) {
	most := countSpans(spans) / 2
	if most == 0 {
		return spans, nil
	}
	for _, r := range spans {
		a, b := &tracepb.ResourceSpans{Resource: r.Resource, SchemaUrl: r.SchemaUrl}, &tracepb.ResourceSpans{Resource: r.Resource, SchemaUrl: r.SchemaUrl}
		for _, scope := range r.ScopeSpans {
			n := min(most, len(scope.Spans))
			most -= n
			a.ScopeSpans = appendScope(a.ScopeSpans, scope, scope.Spans[:n])
			b.ScopeSpans = appendScope(b.ScopeSpans, scope, scope.Spans[n:])
		}
		first, second = appendResource(first, a), appendResource(second, b)
	}
	return first, second
}

func appendScope(list []*tracepb.ScopeSpans, of *tracepb.ScopeSpans, spans []*tracepb.Span) []*tracepb.ScopeSpans {
	if len(spans) == 0 {
		return list
	}
	return append(list, &tracepb.ScopeSpans{Scope: of.Scope, SchemaUrl: of.SchemaUrl, Spans: spans})
}

func appendResource(list []*tracepb.ResourceSpans, r *tracepb.ResourceSpans) []*tracepb.ResourceSpans {
	if len(r.ScopeSpans) == 0 {
		return list
	}
	return append(list, r)
}
