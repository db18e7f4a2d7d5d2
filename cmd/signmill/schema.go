package main

import (
	"github.com/spf13/cobra"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/worker/policy"
)

const schemaHelp = `Prints a document of the wire contract:

  job       JSON Schema (draft 2020-12) of a message on the job queue; the default
  result    JSON Schema (draft 2020-12) of a message on the reply queue
  asyncapi  AsyncAPI description of the two queues, in YAML
  policy    JSON Schema (draft 2020-12) of the file of worker --policy`

func newSchema(s streams) *cobra.Command {
	documents := map[string]func() []byte{
		"job":      schema.JobSchema,
		"result":   schema.ResultSchema,
		"asyncapi": schema.AsyncAPI,
		"policy":   policy.Schema,
	}
	return &cobra.Command{
		Use:       "schema [job|result|asyncapi|policy]",
		Short:     "Print the wire contract",
		Long:      schemaHelp,
		Example:   "  signmill schema job > job.schema.json",
		ValidArgs: []string{"job", "result", "asyncapi", "policy"},
		Args:      usage(cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs)),
		RunE: func(_ *cobra.Command, args []string) error {
			name := "job"
			if len(args) == 1 {
				name = args[0]
			}
			_, err := s.out.Write(documents[name]())
			return err
		},
	}
}
