package main

import (
	"context"
	"crypto"
	"fmt"
	"io"
	"iter"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/campaign"
	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/cmd/signmill/internal/verify"
)

const verifyHelp = `Checks signatures offline: each FILE against FILE.sig and a public key, or every
file of a manifest when no FILE is given.

Without --public-key, the public key of a file is the one that its manifest
names, or, where there is no manifest, the only signmill-*.pem there. That proves
that all belong together; --public-key proves more: that a key that you trust
has signed. Standard error says which key counted.

Exit codes: 0 all signatures verify, 3 at least one does not, 1 and 2 the check
could not be made.`

const verifyExamples = `  signmill verify
  signmill verify report.pdf
  signmill verify --manifest out/signmill-manifest.json --quiet
  signmill verify --public-key signmill-invoices.pem a.pdf b.pdf`

// verifyOptions are the flags of verify.
type verifyOptions struct {
	files     files.Sources
	out       string
	manifest  string
	asked     bool // for that manifest
	publicKey string
	algorithm algorithmFlag
	json      bool
	quiet     bool
}

func newVerify(s streams) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:     "verify [FILE...]",
		Short:   "Check signatures offline",
		Long:    verifyHelp,
		Example: verifyExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files.Files, o.files.Stdin = args, s.in
			o.asked = cmd.Flags().Changed("manifest")
			return o.run(cmd.Context(), s)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.manifest, "manifest", files.ManifestName, "the manifest `FILE`, which names files, algorithms and public keys")
	f.StringVar(&o.publicKey, "public-key", "", "the `FILE` with the only public key that counts, in PEM")
	f.StringVar(&o.out, "out", "", "the directory `DIR` that sign --out wrote to, instead of beside the files")
	f.StringVar(&o.files.From, "from", "", "a `FILE` that lists more files, one in each line; - is standard input")
	f.BoolVarP(&o.files.NUL, "null", "0", false, "the list of --from is separated by NUL")
	f.BoolVarP(&o.files.Recursive, "recursive", "r", false, "take the files in directories")
	f.BoolVar(&o.json, "json", false, "print one JSON object for each file")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print what does not verify only")
	addAlgorithm(cmd, &o.algorithm, "the algorithm for FILE; needed for RSA keys, known for others")
	return cmd
}

func (o verifyOptions) run(ctx context.Context, s streams) error {
	checks, done, err := o.checks(s.err)
	if err != nil {
		return err
	}
	defer done()
	good, bad := 0, 0
	for f, err := range verify.All(ctx, checks) {
		if err != nil {
			return err
		}
		if f.Err == nil {
			good++
		} else {
			bad++
		}
		if err := o.print(s.out, f); err != nil {
			return err
		}
	}
	if bad > 0 {
		return &exit{exitProblems, fmt.Errorf("%d of %d signatures do not verify", bad, good+bad)}
	}
	if good == 0 {
		return usagef("there is no signature to check")
	}
	return nil
}

// checks yields what is to be checked: the files, or the manifest's. Notes is
// told where the public keys come from, unless they were asked for.
func (o verifyOptions) checks(notes io.Writer) (seq iter.Seq2[verify.Check, error], done func(), err error) {
	done = func() {}
	if o.out != "" && !o.asked {
		o.manifest = filepath.Join(o.out, files.ManifestName)
	}
	some := len(o.files.Files) > 0 || o.files.From != ""
	if some && o.publicKey == "" && !o.asked && !files.Exists(o.manifest) {
		if o.publicKey, err = o.onlyKey(); err != nil {
			return nil, done, err
		}
		o.note(notes, display.OneLine(o.publicKey))
	}
	if some && o.publicKey != "" {
		seq, err = o.fileChecks()
		return seq, done, err
	}
	m, err := manifest.Open(o.manifest, false)
	if err != nil {
		return nil, done, fmt.Errorf("%w: name files and --public-key, or a manifest", err)
	}
	var pinned crypto.PublicKey
	if o.publicKey == "" {
		o.note(notes, "the one that "+display.OneLine(o.manifest)+" names")
	} else if pinned, err = verify.ReadPublicKey(o.publicKey); err != nil {
		m.Close()
		return nil, done, err
	}
	if some {
		return o.listedChecks(m, pinned), m.Close, nil
	}
	return verify.Manifest(m, pinned), m.Close, nil
}

// onlyKey finds the public key that sign wrote, if there is but one.
func (o verifyOptions) onlyKey() (string, error) {
	names, err := filepath.Glob(filepath.Join(o.out, "signmill-*.pem"))
	if err == nil && len(names) == 1 {
		return names[0], nil
	}
	return "", usagef("which public key counts? there is no %s and there are %d files signmill-*.pem: give --public-key or --manifest", display.OneLine(o.manifest), len(names))
}

// note says which key counts where nobody has named one.
func (o verifyOptions) note(w io.Writer, key string) {
	if !o.quiet && !o.json {
		fmt.Fprintf(w, "signmill: the public key is %s; --public-key names one that you trust\n", key) //nolint:errcheck // for people
	}
}

// listedChecks yields the files from the command line as a manifest knows them.
func (o verifyOptions) listedChecks(m *manifest.Reader, pinned crypto.PublicKey) iter.Seq2[verify.Check, error] {
	return func(yield func(verify.Check, error) bool) {
		listed := map[[16]byte]verify.Check{}
		for c, err := range verify.Manifest(m, pinned) {
			if err != nil {
				yield(c, err)
				return
			}
			listed[files.PathKey(c.File)] = c
		}
		for file, err := range o.files.Each() {
			c, known := listed[files.PathKey(file)]
			if c.File = file; err == nil && !known {
				c.Missing = fmt.Errorf("%s has no entry for it: --public-key checks without one", display.OneLine(o.manifest))
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// fileChecks yields the files from the command line.
func (o verifyOptions) fileChecks() (iter.Seq2[verify.Check, error], error) {
	public, err := verify.ReadPublicKey(o.publicKey)
	if err != nil {
		return nil, err
	}
	algorithm, err := o.algorithmFor(public)
	if err != nil {
		return nil, err
	}
	return func(yield func(verify.Check, error) bool) {
		for file, err := range o.files.Each() {
			c := verify.Check{File: file, Algorithm: algorithm, Public: public, Key: o.publicKey}
			if err == nil {
				c.Signature, err = campaign.Layout{Dir: o.out}.Signature(file)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}, nil
}
