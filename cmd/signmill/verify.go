package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"

	"github.com/spf13/cobra"
)

const verifyHelp = `Checks signatures offline: each FILE against FILE.sig and a public key.

Without FILE it checks every file of a manifest. Then the public keys come from
the files that the manifest names, which proves that all belong together;
--public-key proves more: that a key that you trust has signed.

Exit codes: 0 all signatures verify, 3 at least one does not, 1 and 2 the check
could not be made.`

const verifyExamples = `  signmill verify
  signmill verify --manifest out/signmill-manifest.json --quiet
  signmill verify --public-key signmill-invoices.pem a.pdf b.pdf`

// verifyOptions are the flags of verify.
type verifyOptions struct {
	files     sources
	out       string
	manifest  string
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
			return o.run(cmd.Context(), s.out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.manifest, "manifest", manifestName, "the manifest to check when no FILE is given")
	f.StringVar(&o.publicKey, "public-key", "", "the only public key that counts, in PEM; needed with FILE")
	f.StringVar(&o.out, "out", "", "the directory that sign --out wrote to, instead of beside the files")
	f.StringVar(&o.files.From, "from", "", "a file that lists more files, one in each line; - is standard input")
	f.BoolVarP(&o.files.NUL, "null", "0", false, "the list of --from is separated by NUL")
	f.BoolVarP(&o.files.Recursive, "recursive", "r", false, "take the files in directories")
	f.BoolVar(&o.json, "json", false, "print one JSON object for each file")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print what does not verify only")
	addAlgorithm(cmd, &o.algorithm, "the algorithm for FILE; needed for RSA keys, known for others")
	return cmd
}

func (o verifyOptions) run(ctx context.Context, out io.Writer) error {
	checks, done, err := o.checks()
	if err != nil {
		return err
	}
	defer done()
	good, bad := 0, 0
	work := func(c check) finding { return c.do(ctx) }
	for f, err := range inParallel(runtime.GOMAXPROCS(0), checks, work) {
		if err != nil {
			return err
		}
		if f.err == nil {
			good++
		} else {
			bad++
		}
		if err := o.print(out, f); err != nil {
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

// checks yields what is to be checked: the files, or the manifest's.
func (o verifyOptions) checks() (seq iter.Seq2[check, error], done func(), err error) {
	if len(o.files.Files) > 0 || o.files.From != "" {
		seq, err = o.fileChecks()
		return seq, func() {}, err
	}
	m, err := openManifest(o.manifest, false)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: name files and --public-key, or a manifest", err)
	}
	keys := publicKeys{}
	if o.publicKey != "" {
		if keys[""], err = readPublicKey(o.publicKey); err != nil {
			m.Close()
			return nil, nil, err
		}
	}
	return manifestChecks(m, keys), m.Close, nil
}

// fileChecks yields the files from the command line.
func (o verifyOptions) fileChecks() (iter.Seq2[check, error], error) {
	if o.publicKey == "" {
		return nil, usagef("with FILE, --public-key is needed")
	}
	public, err := readPublicKey(o.publicKey)
	if err != nil {
		return nil, err
	}
	algorithm, err := o.algorithmFor(public)
	if err != nil {
		return nil, err
	}
	return func(yield func(check, error) bool) {
		for file, err := range o.files.each() {
			c := check{file: file, algorithm: algorithm, public: public}
			if err == nil {
				c.signature, err = layout{Dir: o.out}.signature(file)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}, nil
}

// manifestChecks yields the files of a manifest. A key under "" in keys is
// the only one that counts.
func manifestChecks(m *manifestReader, keys publicKeys) iter.Seq2[check, error] {
	pinned := keys[""]
	return func(yield func(check, error) bool) {
		for e, err := range m.entries() {
			c := check{file: e.Path, signature: e.Signature, digest: e.Digest, algorithm: e.Algorithm, public: pinned, entry: e}
			if err == nil && pinned == nil && e.Status == statusSigned {
				c.public, err = keys.read(e.PublicKey)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}
