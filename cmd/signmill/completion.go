package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completeFlags tells shells what follows the flags of every command: names
// and numbers are no files, and --out is a directory. A flag that has a
// completion of its own keeps it.
func completeFlags(root *cobra.Command) {
	levels := cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp)
	for _, cmd := range root.Commands() {
		completePlain(cmd)
	}
	register(root, "log-level", levels)
}

// completePlain is completeFlags for one command.
func completePlain(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		what, _ := pflag.UnquoteUsage(f)
		switch {
		case what == "FILE":
		case what == "DIR":
			register(cmd, f.Name, cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs))
		default:
			register(cmd, f.Name, cobra.NoFileCompletions)
		}
	})
}

func register(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if _, has := cmd.GetFlagCompletionFunc(flag); has {
		return
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag is there, and has none
	}
}

// completeFlag offers fixed values for a flag.
func completeFlag(cmd *cobra.Command, flag string, values []string) {
	complete := cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the command has no such flag
	}
}
