package main

import (
	"log/slog"

	"github.com/spf13/cobra"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/signmill/signmill/cmd/signmill/internal/spanqueue"
	"github.com/signmill/signmill/cmd/signmill/internal/traceview"
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
			return o.run(cmd.Context(), log, spanqueue.Show(func(spans []*tracepb.Span) error { return show(s.out, spans) }))
		},
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object for each span")
	return cmd
}
