package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/schema"
)

// algorithmFlag is an algorithm as a flag. It implements pflag.Value.
type algorithmFlag struct{ schema.Algorithm }

func (a *algorithmFlag) String() string { return string(a.Algorithm) }
func (a *algorithmFlag) Type() string   { return "ALG" }

// Set takes the name of a known algorithm, in either case.
func (a *algorithmFlag) Set(name string) error {
	known, err := parseAlgorithm(name)
	if err != nil {
		return err
	}
	a.Algorithm = known
	return nil
}

func parseAlgorithm(name string) (schema.Algorithm, error) {
	a := schema.Algorithm(strings.ToUpper(name))
	if !slices.Contains(schema.PublicKeySignatures(), a) {
		return "", fmt.Errorf("unknown algorithm %q: use one of %s", name, strings.Join(algorithmNames(), ", "))
	}
	return a, nil
}

func algorithmNames() []string {
	var names []string
	for _, a := range schema.PublicKeySignatures() {
		names = append(names, string(a))
	}
	return names
}

// addAlgorithm puts --alg on a command, with completion.
func addAlgorithm(cmd *cobra.Command, a *algorithmFlag, purpose string) {
	cmd.Flags().Var(a, "alg", purpose)
	completeFlag(cmd, "alg", algorithmNames())
}
