// Command signmill signs in bulk with keys that never leave Azure Key Vault.
//
// What it is. One binary: sign submits files and follows their signatures,
// submit sends jobs of any operation, worker serves the job queue, doctor checks
// its deployment, dlq looks after dead letters, audit checks logs, plan foretells
// a campaign, quota measures a vault, verify checks offline, keys keeps the keys
// of a vault, local serves a broker and a vault on this machine. One file per
// command holds its flags and its wiring; what a command does and others need not
// know lies in a package below internal.
//
// How it flows. A command turns its flags into configuration values
// ([backend]) and hands them to the rooms. Local mode differs in these values
// only. Files are named for the command that they belong to, and what sign and
// submit share for the submitter.
//
// Guarantees. Data goes to standard output, everything else to standard error.
// No file is overwritten unless asked for, none is left half-written, and no
// signature is written that was not verified here.
//
// Errors. The exit code is 0 for success, 1 for a failure, 2 for wrong usage,
// 3 when a check found problems, and 130 after an interrupt.
//
// Concurrency. Commands run one at a time; each waits for what it starts.
package main

import (
	"context"
	"io"
	"os"
)

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// run carries out one command line and returns its exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	return report(s.err, root.ExecuteContext(ctx))
}
