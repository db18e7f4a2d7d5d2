package main

import (
	"github.com/spf13/cobra"
)

func newAudit(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "audit",
		Short:   "Check audit logs",
		Long:    "Checks the audit logs that workers write with --audit.",
		Example: "  signmill audit verify audit.jsonl",
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAuditVerify(s))
	return cmd
}
