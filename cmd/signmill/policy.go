package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker/policy"
)

const policyHelp = `Looks after the file of worker --policy: vaults with their quotas, keys with what
may be done with them, and who may ask for it. Nothing is allowed that the file
does not name.`

const policyExamples = `  signmill policy example > policy.yaml
  signmill policy check policy.yaml
  signmill policy explain --policy policy.yaml job.json`

func newPolicy(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "policy",
		Short:   "Check and explain a worker's policy",
		Long:    policyHelp,
		Example: policyExamples,
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPolicyCheck(s), newPolicyExplain(s), newPolicyExample(s))
	return cmd
}

func newPolicyExample(s streams) *cobra.Command {
	return &cobra.Command{
		Use:     "example",
		Short:   "Print a policy to begin with",
		Long:    "Prints a policy with comments, to begin with. signmill schema policy prints its JSON Schema.",
		Example: "  signmill policy example > policy.yaml",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := s.out.Write(policy.Example())
			return err
		},
	}
}

// policyFile is a worker's policy on disk, and how it is read.
type policyFile struct {
	path  string
	jobs  string                   // the job queue of producers without one of their own
	local bool                     // admits vaults on this machine
	all   budgetFlags              // of vaults that name none
	admit func(*policy.File) error // looks at what Parse cannot know; nil: nothing
}

// read reads the file. The error is policy.Faults when the file is there and
// wrong. The files of keys that it names are relative to its own directory.
func (p policyFile) read() (*policy.File, error) {
	text, err := readBounded(p.path, policy.MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", display.Error(err))
	}
	f, err := policy.Parse(text, policy.Options{
		Local: p.local, Jobs: p.jobs,
		Quota: quota.Units(p.all.units), Share: p.all.share,
		IsShare: isShare,
		ReadFile: func(name string) ([]byte, error) {
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(p.path), name)
			}
			return readBounded(name, policy.MaxBytes)
		},
	})
	if err == nil && p.admit != nil {
		err = p.admit(f)
	}
	return f, err
}

// readBounded reads a file and at most one byte more than most, so that one
// that is too large is seen to be.
func readBounded(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	return io.ReadAll(io.LimitReader(f, most+1))
}

// isShare says what is wrong with a share. It connects to nothing.
func isShare(text string) error {
	share, err := budgetFlags{units: int(quota.KeyUnits), share: text}.parseShare("https://example.vault.azure.net", nil)
	if c, open := share.(io.Closer); open {
		c.Close() //nolint:errcheck // it was never used
	}
	return err
}
