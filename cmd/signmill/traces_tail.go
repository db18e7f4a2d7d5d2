package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/signmill/signmill/cmd/signmill/internal/traceview"
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
			show := traceview.Waterfalls
			if asJSON {
				show = traceview.Lines
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
