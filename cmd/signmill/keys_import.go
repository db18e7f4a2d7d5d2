package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/keyvault"
)

const keysImportHelp = `Puts a key that was made elsewhere into the vault, or, where the name is taken,
its next version. FILE - is standard input. What the vault then shows is
compared with what was sent.

  --format auto      a private key in PEM, or in DER, or a transfer blob (default)
  --format pem       a private key: PKCS #8, PKCS #1 or SEC 1, RSA or EC
  --format raw       16, 24 or 32 bytes of a symmetric key, as they are
  --format transfer  the JSON file of a key-transfer tool: a key that is wrapped
                     for the hardware of this vault; say its --type and --curve

Whoever has FILE has the key. Prefer create, or a transfer blob.`

const keysImportExamples = `  signmill keys import legacy legacy.pem --ops sign,verify
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 | signmill keys import fresh -
  signmill keys import seal seal.byok --type RSA`

// importFormats are the values of --format.
func importFormats() []string { return []string{"auto", "pem", "raw", "transfer"} }

type keysImport struct {
	*keysOptions
	spec        keyvault.ImportSpec
	format      string
	kind, curve string
	set         keySettings
	dry         bool
}

func newKeysImport(o *keysOptions) *cobra.Command {
	c := &keysImport{keysOptions: o}
	cmd := &cobra.Command{
		Use:     "import NAME FILE",
		Short:   "Put in a key that was made elsewhere",
		Long:    keysImportHelp,
		Example: keysImportExamples,
		Args:    usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.spec.Name = args[0]
			return c.run(cmd, args[1])
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.format, "format", "auto", "auto, pem, raw or transfer")
	f.StringVar(&c.kind, "type", "RSA", "type of the key in a transfer blob: RSA, EC or oct")
	f.StringVar(&c.curve, "curve", "", "curve of the key in a transfer blob (default P-256)")
	f.BoolVar(&c.spec.HSM, "hsm", false, "keep the key in hardware")
	c.set.add(cmd)
	f.BoolVar(&c.dry, "dry-run", false, "read FILE and say what would be sent, and send nothing")
	completeFlag(cmd, "format", importFormats())
	completeFlag(cmd, "type", keyvault.KeyTypes())
	completeFlag(cmd, "curve", keyvault.Curves())
	return cmd
}

func (c *keysImport) run(cmd *cobra.Command, file string) (err error) {
	if c.spec.Settings, err = c.set.settings(); err != nil {
		return err
	}
	if c.spec.Material, err = c.read(file); err != nil {
		return err
	}
	if err := c.spec.Check(); err != nil {
		return usageError(err)
	}
	if c.dry {
		p := intent{Verb: "import", What: c.spec.Name}
		p.add("material", c.spec.Material.String())
		p.add("hardware", display.YesNo(c.spec.HSM || c.spec.Material.Transfer()))
		c.set.describe(&p)
		return c.keysOptions.dry(p)
	}
	return c.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
		info, err := v.Import(ctx, c.spec)
		if err != nil {
			return err
		}
		return c.tell("imported", info)
	})
}

// maxKeyFile is more than any key that a vault takes.
const maxKeyFile = 64 << 10

// read takes the key out of a file.
func (c *keysImport) read(file string) (m keyvault.Material, err error) {
	text, err := c.readFile(file, maxKeyFile)
	if err != nil {
		return m, err
	}
	switch {
	case c.format == "raw":
		m, err = keyvault.SymmetricKey(text)
	case c.format == "transfer", c.format == "auto" && bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")):
		m, err = keyvault.ParseTransfer(text, c.kind, c.curve)
	case c.format == "pem", c.format == "auto":
		m, err = keyvault.ParsePrivateKey(text)
	default:
		return m, usagef("--format %q: use one of %v", c.format, importFormats())
	}
	if err != nil {
		return m, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

// readFile reads a whole file, or standard input for -, up to a size.
func (o *keysOptions) readFile(name string, most int64) ([]byte, error) {
	r := o.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // only read
		r = f
	}
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("%s: more than %d bytes", name, most)
	}
	return text, nil
}
