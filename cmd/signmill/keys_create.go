package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/keyvault"
)

const keysCreateHelp = `Makes a key in the vault, or, where the name is taken, its next version. The
private half never leaves the vault. The new key is compared with what was asked.

  --type EC    --curve P-256 (default), P-384, P-521 or P-256K
  --type RSA   --size 2048 (default), 3072 or 4096
  --type oct   --size 128, 192 or 256 (default); AES and HMAC, with --hsm

--hsm keeps the key in hardware: a Premium vault, and always so in a Managed HSM.`

const keysCreateExamples = `  signmill keys create invoices
  signmill keys create seal --type RSA --size 3072 --hsm --ops sign,verify --expires 2028-01-01
  signmill keys create seal --type RSA --tag team=billing --dry-run`

type keysCreate struct {
	*keysOptions
	spec keyvault.KeySpec
	set  keySettings
	dry  bool
}

func newKeysCreate(o *keysOptions) *cobra.Command {
	c := &keysCreate{keysOptions: o}
	cmd := &cobra.Command{
		Use:     "create NAME",
		Short:   "Make a key, or its next version",
		Long:    keysCreateHelp,
		Example: keysCreateExamples,
		Args:    oneArg("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.spec.Name = args[0]
			return c.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.spec.Type, "type", "EC", "EC, RSA or oct")
	f.IntVar(&c.spec.Size, "size", 0, "bits of an RSA or symmetric key (default 2048, or 256)")
	f.StringVar(&c.spec.Curve, "curve", "", "curve of an EC key (default P-256)")
	f.BoolVar(&c.spec.HSM, "hsm", false, "keep the key in hardware")
	c.set.add(cmd)
	f.BoolVar(&c.dry, "dry-run", false, "say what would be sent, and send nothing")
	completeFlag(cmd, "type", keyvault.KeyTypes())
	completeFlag(cmd, "curve", keyvault.Curves())
	completeFlag(cmd, "size", []string{"2048", "3072", "4096", "128", "192", "256"})
	return cmd
}

func (c *keysCreate) run(cmd *cobra.Command) (err error) {
	if c.spec.Settings, err = c.set.settings(); err != nil {
		return err
	}
	if err := c.spec.Check(); err != nil {
		return usageError(err)
	}
	if c.dry {
		return c.keysOptions.dry(c.intent())
	}
	return c.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
		info, err := v.Create(ctx, c.spec)
		if err != nil {
			return err
		}
		return c.tell("created", info)
	})
}

func (c *keysCreate) intent() intent {
	p := intent{Verb: "create", What: c.spec.Name}
	p.add("type", c.spec.Type)
	if c.spec.Size > 0 {
		p.add("size", strconv.Itoa(c.spec.Size))
	}
	p.add("curve", c.spec.Curve)
	p.add("hardware", display.YesNo(c.spec.HSM))
	c.set.describe(&p)
	return p
}
