package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/otlp"
	"github.com/signmill/signmill/cmd/signmill/internal/spanqueue"
)

const tracesRelayHelp = `Hands the traces of workers on to an endpoint that takes OTLP over HTTP: an
OpenTelemetry Collector, or a store of traces. A message is taken from the queue
when the endpoint has accepted it. While it is busy or away, the message is kept and
tried again, ever more slowly, and no other is taken, so that an outage costs none a
delivery. What the endpoint refuses for good goes to the dead letters. Headers, such as a key for the endpoint, are in
OTEL_EXPORTER_OTLP_HEADERS. Ctrl-C and SIGTERM end it.`

func newTracesRelay() *cobra.Command {
	var o tracesOptions
	var to string
	cmd := &cobra.Command{
		Use:     "relay",
		Short:   "Hand traces on to an OTLP endpoint",
		Long:    tracesRelayHelp,
		Example: "  signmill traces relay --namespace example.servicebus.windows.net --to http://collector:4318/v1/traces",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLog(cmd, slog.LevelInfo)
			if err != nil {
				return err
			}
			target, err := relayTarget(to)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), log, spanqueue.NewRelay(target, log).Take)
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&to, "to", "", "`URL` of the endpoint, such as http://localhost:4318/v1/traces (default from OTEL_EXPORTER_OTLP_ENDPOINT)")
	unbind(cmd.Flags(), "to")
	return cmd
}

// relayTarget makes the endpoint at a URL, or that which the standard variables
// name. Headers and time limit are theirs either way.
func relayTarget(to string) (*otlp.Endpoint, error) {
	c := otlpSettings(signalTraces)
	if to != "" {
		c.URL = to
	}
	return newEndpoint(c)
}
