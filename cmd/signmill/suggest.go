package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signmill/signmill/worker/policy"
)

// unknownCommand is cobra.NoArgs with a guess at what was meant.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usagef("unknown command %q: did you mean %s?", args[0], near[0])
	}
	return usagef("unknown command %q", args[0])
}

// strictTopics lets the two commands that cobra brings along refuse a topic
// that they do not know; they would print help as if all were well.
func strictTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			cmd.Args = unknownCommand
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				if cmd, rest, _ := root.Find(args); cmd == root {
					return unknownCommand(root, rest)
				}
				return nil
			}
		}
	}
}

// flagError makes a fault in the flags a usage error, with a guess at what an
// unknown one was to be.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		if near := nearestFlag(cmd.Flags(), unknown.GetSpecifiedName()); near != "" {
			return usagef("unknown flag --%s: did you mean --%s?", unknown.GetSpecifiedName(), near)
		}
	}
	return usageError(err)
}

// nearestFlag returns the flag with the fewest typing errors, at most two and
// fewer than it has letters; "" when there is none.
func nearestFlag(flags *pflag.FlagSet, name string) string {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return policy.Nearest(name, names)
}
