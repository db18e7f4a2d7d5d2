package main

import (
	"fmt"
	"os"
	"strings"

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
