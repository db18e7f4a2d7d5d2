package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/campaign"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/schema"
)

const signHelp = `Signs files: hashes them here, submits the hashes in jobs, follows the replies,
verifies every signature, and writes

  FILE.sig                 DER for EC keys, raw for RSA keys, as openssl reads it
  signmill-KEY.pem         the public key
  signmill-manifest.json   one entry for each file

beside the files and in the current directory, or all of it under --out.
Everything is checked before the first file is signed, nothing is overwritten
without --force, and no file is ever half-written.

Ctrl-C submits no more and waits for what is under way; a second one does not
wait. Either way --resume with the same files signs the rest: files that are
signed already, and have not changed, are skipped.

--local brings a broker, a vault and a worker along in this process. Its keys
are made anew at each start and lost at the end.

--recursive leaves out *.sig, and what else signmill has written.`

const signExamples = `  signmill sign --local report.pdf
  openssl dgst -sha256 -verify signmill-signmill.pem -signature report.pdf.sig report.pdf

  signmill sign --namespace example.servicebus.windows.net \
      --vault https://example.vault.azure.net --key invoices --recursive --out signed invoices/

  find . -name '*.csr' -print0 | signmill sign --from - -0 --key issuing --alg PS256`

// signOptions are the flags of sign.
type signOptions struct {
	queueOptions
	files     files.Sources
	to        campaign.Layout
	algorithm algorithmFlag

	publicKey string
	vaultKey  string

	items int
	json  bool
}

func newSign(s streams) *cobra.Command {
	o := signOptions{algorithm: algorithmFlag{schema.ES256}}
	cmd := &cobra.Command{
		Use:     "sign [FILE...]",
		Short:   "Sign files",
		Long:    signHelp,
		Example: signExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := newLog(cmd, slog.LevelWarn)
			if err != nil {
				return err
			}
			o.files.Files, o.files.Stdin = args, s.in
			if err := exclusive(cmd, append(o.contradictions(), [2]string{"force", "resume"}, [2]string{"local", "vault"}, [2]string{"local", "public-key"})...); err != nil {
				return err
			}
			return o.run(cmd.Context(), s, log)
		},
	}
	o.addFiles(cmd)
	o.addQueue(cmd)
	return cmd
}

// addFiles adds the flags about what is signed and written.
func (o *signOptions) addFiles(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.files.From, "from", "", "a `FILE` that lists more files, one in each line; - is standard input")
	f.BoolVarP(&o.files.NUL, "null", "0", false, "the list of --from is separated by NUL")
	f.BoolVarP(&o.files.Recursive, "recursive", "r", false, "take the files in directories")
	f.StringVar(&o.to.Dir, "out", "", "write everything below this directory `DIR`; the files' relative paths are kept")
	f.BoolVar(&o.to.Force, "force", false, "overwrite what is there")
	f.BoolVar(&o.to.Resume, "resume", false, "carry on an earlier run: skip what is signed and unchanged")
	f.BoolVar(&o.json, "json", false, "print the manifest's entries, one JSON object in each line, then a summary")
	f.StringVar(&o.to.Key, "key", "signmill", "the key, by the name under which the worker allows it")
	addAlgorithm(cmd, &o.algorithm, "the signature algorithm")
}

// addQueue adds the flags about who signs.
func (o *signOptions) addQueue(cmd *cobra.Command) {
	f := cmd.Flags()
	o.queueOptions.add(cmd)
	o.azure.addVault(f)
	f.StringVar(&o.publicKey, "public-key", "", "a `FILE` with the public key in PEM, instead of asking the vault")
	f.StringVar(&o.vaultKey, "vault-key", "", "the key's name in the vault, if the worker allows it under another (default as --key)")
	f.IntVar(&o.items, "items-per-job", 100, "files in one job")
}

// check refuses what cannot work, before anything is touched.
func (o *signOptions) check() error {
	switch {
	case len(o.files.Files) == 0 && o.files.From == "":
		return usagef("there is nothing to sign: name files, or a list with --from")
	case o.items < 1 || o.items > schema.DefaultMaxItems:
		return usagef("--items-per-job %d: use 1 to %d", o.items, schema.DefaultMaxItems)
	case !validKey(o.to.Key):
		return usagef("--key %q: use letters, digits, dashes, dots and underscores, at most %d", o.to.Key, schema.MaxKey)
	case !o.local && o.azure.vault == "" && o.publicKey == "":
		return usagef("every signature is verified here: give --vault or --public-key, or try --local")
	}
	return o.queueOptions.check()
}

// validKey keeps the key's name fit for a file's name.
func validKey(name string) bool {
	for _, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && r != '-' && r != '_' && r != '.' {
			return false
		}
	}
	return name != "" && len(name) <= schema.MaxKey
}
