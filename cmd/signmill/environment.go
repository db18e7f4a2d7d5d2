package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// envPrefix begins the name of every variable of ours.
const envPrefix = "SIGNMILL_"

// environment returns the variables that are set to something.
func environment() map[string]string {
	env := map[string]string{}
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); value != "" {
			env[name] = value
		}
	}
	return env
}

// bindEnvironment gives each flag that is not on the command line the value of
// its variable, if that is set. Changed still means the command line alone.
func bindEnvironment(flags *pflag.FlagSet, env map[string]string) error {
	var fault error
	flags.VisitAll(func(f *pflag.Flag) {
		value, set := env[variable(f.Name)]
		if !set || f.Changed || f.Annotations[unbound] != nil || f.Name == "help" || fault != nil {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			fault = usageError(fmt.Errorf("environment variable %s: %w", variable(f.Name), err))
		}
		f.Changed = false
	})
	return fault
}

// unbound annotates a flag that has no variable, because its name means
// something else in another command.
const unbound = "signmill/unbound"

// unbind takes the variables of flags away.
func unbind(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		if err := flags.SetAnnotation(name, unbound, []string{}); err != nil {
			panic(err) // the command has no such flag
		}
	}
}

// variable returns the name of the variable that stands for a flag.
func variable(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// warnUnknown tells of variables with our prefix that no command reads: a
// misspelt one would otherwise be ignored without a word.
func warnUnknown(w io.Writer, root *cobra.Command, env map[string]string) {
	known := map[string]bool{envPrefix + "CONNECTION_STRING": true, redisPassword: true}
	note := func(f *pflag.Flag) { known[variable(f.Name)] = true }
	noteFlags(root, note)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if strings.HasPrefix(name, envPrefix) && !known[name] {
			fmt.Fprintf(w, "signmill: no flag is set by the environment variable %s\n", name) //nolint:errcheck // for people
		}
	}
}

// noteFlags visits the flags of a command and of all below it.
func noteFlags(cmd *cobra.Command, note func(*pflag.Flag)) {
	cmd.PersistentFlags().VisitAll(note)
	cmd.Flags().VisitAll(note)
	for _, below := range cmd.Commands() {
		noteFlags(below, note)
	}
}
