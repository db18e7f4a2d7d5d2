package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/worker/policy"
)

const policyCheckHelp = `Reads a policy as a worker would, and tells everything that is wrong with it, each
fault with its line. It asks nobody: whether the keys are there, and whether they
may be used, doctor finds out. Exit code 3 means that there are faults.`

// policyCheck are the flags of policy check.
type policyCheck struct {
	streams
	file policyFile
	json bool
}

func newPolicyCheck(s streams) *cobra.Command {
	o := policyCheck{streams: s}
	cmd := &cobra.Command{
		Use:     "check FILE",
		Short:   "Tell what is wrong with a policy",
		Long:    policyCheckHelp,
		Example: "  signmill policy check policy.yaml",
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			o.file.path = args[0]
			return o.run()
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.file.jobs, "jobs", "jobs", "the job queue of producers without one of their own")
	f.BoolVar(&o.file.local, "local", false, "take vaults on this machine, as a worker does beside a broker there")
	f.BoolVar(&o.json, "json", false, "print each fault as one JSON object")
	completePlain(cmd)
	return cmd
}

// faultLine is a fault in JSON.
type faultLine struct {
	File string `json:"file"`
	policy.Fault
}

func (o policyCheck) run() error {
	f, err := o.file.read()
	var faults policy.Faults
	if err != nil && !errors.As(err, &faults) {
		return err
	}
	for _, fault := range faults {
		if err := o.tell(fault); err != nil {
			return err
		}
	}
	if len(faults) > 0 {
		return &exit{code: exitProblems}
	}
	if o.json {
		return nil
	}
	_, err = fmt.Fprintf(o.out, "%s is well: %s, %s, %s\n", display.OneLine(o.file.path),
		count(int64(len(f.Vaults)), "vault"), count(int64(len(f.Keys)), "key"), count(int64(len(f.Producers)), "producer"))
	return err
}

// tell prints a fault in the form of compilers, which editors know.
func (o policyCheck) tell(f policy.Fault) error {
	if o.json {
		return jsonLine(o.out, faultLine{o.file.path, f})
	}
	at := fmt.Sprintf("%s:%d:%d: ", display.OneLine(o.file.path), f.Line, f.Column)
	if f.Line == 0 {
		at = display.OneLine(o.file.path) + ": "
	}
	if f.Path != "" {
		at += f.Path + ": "
	}
	_, err := fmt.Fprintln(o.out, at+plain(f.Message))
	return err
}
