package main

import (
	"github.com/spf13/cobra"
)

func newQuota(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "quota",
		Short:   "Find out what a vault allows",
		Long:    "Finds out what a vault allows, where the documentation is silent.",
		Example: "  signmill quota probe --help",
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newQuotaProbe(s))
	return cmd
}
