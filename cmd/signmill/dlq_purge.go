package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/deadletter"
	"github.com/signmill/signmill/cmd/signmill/internal/display"
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
		ready:      func(context.Context, *morgue) (deadletter.Act, error) { return deadletter.Purge, nil },
	})
}
