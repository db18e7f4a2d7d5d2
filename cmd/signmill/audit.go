package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/worker/audit"
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

const auditVerifyHelp = `Reads audit logs and finds each line that was edited, dropped, reordered, put in
or cut off: the hash of a line is made of its content and of the hash before it.
It says which line, and why, and exits with 3. Without FILE, or with -, it reads
standard input. Files of one worker are given in their order: those with a number
at the end first, then the one without.

At the end it prints each chain with its last hash, the head. Lines that were cut
off at the end, or a log that was made anew from some line on, can only be found by
a hash that is known from elsewhere: give it with --expect-head. A worker logs the
head when it ends; a head also stands for all lines before it.`

// auditVerify is the command audit verify.
type auditVerify struct {
	streams
	expect string
	json   bool
}

func newAuditVerify(s streams) *cobra.Command {
	c := &auditVerify{streams: s}
	cmd := &cobra.Command{
		Use:   "verify [FILE...]",
		Short: "Find lines that were changed",
		Long:  auditVerifyHelp,
		Example: `  signmill audit verify audit.jsonl.* audit.jsonl
  signmill audit verify --expect-head 3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA audit.jsonl`,
		RunE: func(_ *cobra.Command, args []string) error { return c.run(args) },
	}
	cmd.Flags().StringVar(&c.expect, "expect-head", "", "a `HASH` that some line must have")
	cmd.Flags().BoolVar(&c.json, "json", false, "print findings and chains, one JSON object in each line")
	return cmd
}

// hashForm is what a head looks like.
var hashForm = regexp.MustCompile(`^[-_A-Za-z0-9]{43}$`)

func (c *auditVerify) run(files []string) error {
	if c.expect != "" && !hashForm.MatchString(c.expect) {
		return usagef("--expect-head %q: use the 43 characters of a line's hash", c.expect)
	}
	if len(files) == 0 {
		files = []string{"-"}
	}
	var said error // what went wrong with standard output
	v := &audit.Verifier{Expect: c.expect, Found: func(f audit.Finding) {
		if said == nil {
			said = c.tell(f)
		}
	}}
	for _, name := range files {
		if err := c.file(v, name); err != nil {
			return display.Error(err)
		}
	}
	v.End()
	if said != nil {
		return said
	}
	if err := c.summary(v); err != nil {
		return err
	}
	if v.Problems > 0 {
		return &exit{code: exitProblems}
	}
	return nil
}

func (c *auditVerify) file(v *audit.Verifier, name string) error {
	if name == "-" {
		return v.File("standard input", c.in)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	return v.File(name, f)
}

func (c *auditVerify) tell(f audit.Finding) error {
	if c.json {
		return json.NewEncoder(c.out).Encode(f)
	}
	place := ""
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d: ", display.OneLine(f.File), f.Line)
	}
	_, err := fmt.Fprintf(c.out, "%s%s: %s\n", place, f.Problem, display.OneLine(f.Text))
	return err
}

// summary prints the chains.
func (c *auditVerify) summary(v *audit.Verifier) error {
	for _, chain := range v.Chains {
		var err error
		if c.json {
			err = json.NewEncoder(c.out).Encode(chain)
		} else {
			err = printChain(c.out, chain)
		}
		if err != nil {
			return err
		}
	}
	verdict := "all as they were written"
	if v.Problems > 0 {
		verdict = fmt.Sprintf("%d problems", v.Problems)
	}
	fmt.Fprintf(c.err, "signmill: %s lines, %s\n", display.Grouped(int64(v.Lines)), verdict)
	return nil
}

func printChain(out io.Writer, chain *audit.Chain) error {
	var events []string
	for _, event := range slices.Sorted(maps.Keys(chain.Count)) {
		events = append(events, fmt.Sprintf("%s %d", display.Printable(display.Cut(string(event), 30)), chain.Count[event]))
	}
	_, err := fmt.Fprintf(out, "chain %s: lines %d to %d (%s), head %s\n", display.Printable(display.Cut(chain.Name, 60)), chain.First, chain.Last, strings.Join(events, ", "), chain.Head)
	return err
}
