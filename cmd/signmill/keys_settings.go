package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/keyvault"
)

// dateFlag is a point in time as a flag. It implements pflag.Value.
type dateFlag struct{ time.Time }

func (d *dateFlag) String() string { return display.Time(d.Time) }
func (d *dateFlag) Type() string   { return "TIME" }

// Set takes RFC 3339, or a date, which means its begin in UTC.
func (d *dateFlag) Set(text string) error {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			d.Time = t
			return nil
		}
	}
	return fmt.Errorf("%q is no time: use RFC 3339 such as 2027-01-31T12:00:00Z, or a date such as 2027-01-31", text)
}

// keySettings are the flags of what a new key has besides its material.
type keySettings struct {
	operations []string
	disabled   bool
	notBefore  dateFlag
	expires    dateFlag
	tags       map[string]string
	exportable bool
	policy     string
	immutable  bool
}

func (k *keySettings) add(cmd *cobra.Command) {
	f := cmd.Flags()
	addOperations(cmd, &k.operations, "what the key may do, separated by commas (default as the vault has it for the type)")
	f.BoolVar(&k.disabled, "disabled", false, "make it disabled")
	f.Var(&k.notBefore, "not-before", "it signs, encrypts and wraps from then on only")
	f.Var(&k.expires, "expires", "it signs, encrypts and wraps until then only")
	f.StringToStringVar(&k.tags, "tag", nil, "a tag, as NAME=VALUE; may be repeated")
	f.BoolVar(&k.exportable, "exportable", false, "enclaves may take the key out; needs --release-policy")
	f.StringVar(&k.policy, "release-policy", "", "a JSON file that says which enclaves may take the key out")
	f.BoolVar(&k.immutable, "immutable-policy", false, "the release policy can never be changed")
}

// addOperations puts --ops on a command, with completion.
func addOperations(cmd *cobra.Command, operations *[]string, purpose string) {
	cmd.Flags().StringSliceVar(operations, "ops", nil, purpose)
	completeFlag(cmd, "ops", keyvault.Operations())
}

// settings reads the release policy and returns what is to be sent.
func (k keySettings) settings() (keyvault.Settings, error) {
	s := keyvault.Settings{
		Operations: k.operations, Disabled: k.disabled, NotBefore: k.notBefore.Time, Expires: k.expires.Time,
		Tags: k.tags, Exportable: k.exportable,
	}
	if k.policy == "" {
		return s, nil
	}
	text, err := os.ReadFile(k.policy)
	if err != nil {
		return s, fmt.Errorf("release policy: %w", err)
	}
	s.ReleasePolicy = &keyvault.ReleasePolicy{Policy: text, Immutable: k.immutable}
	return s, nil
}

// describe says what the settings are.
func (k keySettings) describe(p *intent) {
	p.add("operations", strings.Join(k.operations, ", "))
	if k.disabled {
		p.add("enabled", "no")
	}
	p.add("notBefore", display.Time(k.notBefore.Time))
	p.add("expires", display.Time(k.expires.Time))
	p.add("tags", display.Tags(k.tags))
	p.add("releasePolicy", k.policy)
}
