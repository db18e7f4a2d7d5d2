package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/queue"
)

const dlqPurgeHelp = `Deletes dead letters for good. It acts on what it has counted, and on nothing that
comes later; how it passes over what does not match, replay --help tells.`

func newDLQPurge(o *dlqOptions) *cobra.Command {
	return newDLQAct(&cobra.Command{
		Use:   "purge",
		Short: "Delete dead letters",
		Long:  dlqPurgeHelp,
		Example: `  signmill dlq purge --reason not_json --dry-run
  signmill dlq purge --until 2027-01-01 --yes`,
	}, &dlqAct{
		dlqOptions: o,
		words:      display.Words{Doing: "purge", Things: "dead letters", Done: "purged"},
		warning:    "they are lost for good",
		ready: func(context.Context, *morgue) (func(context.Context, []*queue.Delivery) []error, error) {
			return purge, nil
		},
	})
}

// purge completes a batch.
func purge(ctx context.Context, batch []*queue.Delivery) []error {
	errs := make([]error, len(batch))
	places := make(map[*queue.Delivery]*error, len(batch))
	for i, d := range batch {
		places[d] = &errs[i]
	}
	eachOf(batch, func(d *queue.Delivery) { *places[d] = d.Complete(ctx) })
	return errs
}
