package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/signmill/signmill/queue"
)

const tracesTailHelp = `Shows the traces of workers as they come, each as a waterfall, and takes them from
the queue. Ctrl-C ends it.`

func newTracesTail(s streams) *cobra.Command {
	var o tracesOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "tail",
		Short:   "Show traces as they come",
		Long:    tracesTailHelp,
		Example: "  signmill traces tail --namespace example.servicebus.windows.net --queue traces",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLog(cmd, slog.LevelWarn)
			if err != nil {
				return err
			}
			show := showWaterfalls
			if asJSON {
				show = showSpans
			}
			return o.run(cmd.Context(), log, func(ctx context.Context, d *queue.Delivery) error {
				return tailOne(ctx, s.out, d, show)
			})
		},
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object for each span")
	return cmd
}

// tailOne shows a message and completes it. One that cannot be read is set
// aside.
func tailOne(ctx context.Context, w io.Writer, d *queue.Delivery, show func(io.Writer, []*tracepb.Span) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	data, err := unpackTraces(d.Message)
	if err != nil {
		return d.DeadLetter(ctx, "not_otlp", err.Error())
	}
	if err := show(w, spansOf(data)); err != nil {
		return err
	}
	return d.Complete(ctx)
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

// spanLine is a span in JSON.
type spanLine struct {
	Trace      string         `json:"traceId"`
	Span       string         `json:"spanId"`
	Parent     string         `json:"parentSpanId,omitempty"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	Start      time.Time      `json:"start"`
	Millis     float64        `json:"durationMs"`
	Failed     bool           `json:"failed"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

// showSpans prints one line for each span.
func showSpans(w io.Writer, spans []*tracepb.Span) error {
	out := json.NewEncoder(w)
	for _, s := range spans {
		line := spanLine{
			Trace: hex.EncodeToString(s.TraceId), Span: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
			Name: s.Name, Kind: spanKind(s.Kind), Start: time.Unix(0, int64(s.StartTimeUnixNano)).UTC(),
			Millis: float64(lengthOf(s)) / float64(time.Millisecond), Failed: hasFailed(s), Attributes: map[string]any{},
		}
		for _, a := range s.Attributes {
			line.Attributes[a.Key] = plainValue(a.Value)
		}
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// plainValue returns a value that JSON can show.
func plainValue(v *commonpb.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_IntValue:
		return v.IntValue
	case *commonpb.AnyValue_DoubleValue:
		return v.DoubleValue
	case *commonpb.AnyValue_BoolValue:
		return v.BoolValue
	}
	return v.String()
}
