package main

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/signer/keyvault"
)

const keysRandomHelp = `Gets random bytes from the hardware of a Managed HSM, and prints them as base64url
without padding. --out writes the bytes as they are to a file that only its owner
may read.`

type keysRandom struct {
	*keysOptions
	bytes int
	hex   bool
	file  string
	force bool
}

func newKeysRandom(o *keysOptions) *cobra.Command {
	c := &keysRandom{keysOptions: o}
	cmd := &cobra.Command{
		Use:     "random",
		Short:   "Get random bytes from a Managed HSM",
		Long:    keysRandomHelp,
		Example: "  signmill keys random --vault https://example.managedhsm.azure.net\n  signmill keys random --bytes 64 --hex\n  signmill keys random --bytes 4096 --out seed.bin",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.bytes < 1 || c.bytes > maxRandom {
				return usagef("--bytes %d: use 1 to %d", c.bytes, maxRandom)
			}
			if c.hex && c.file != "" {
				return usagef("--hex and --out exclude each other")
			}
			return c.run(cmd)
		},
	}
	f := cmd.Flags()
	f.IntVar(&c.bytes, "bytes", 32, "how many")
	f.BoolVar(&c.hex, "hex", false, "print hexadecimal digits")
	f.StringVar(&c.file, "out", "", "write the bytes as they are to this file")
	f.BoolVar(&c.force, "force", false, "overwrite the file")
	unbind(f, "out")
	return cmd
}

// maxRandom is what one command gets at most.
const maxRandom = 64 << 10

func (c *keysRandom) run(cmd *cobra.Command) error {
	if c.file != "" {
		if err := files.Free(c.file, c.force); err != nil {
			return err
		}
	}
	return c.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
		random, err := v.Random(ctx, c.bytes)
		if err != nil {
			return err
		}
		if c.file != "" {
			return files.WriteSecret(c.file, random, c.force)
		}
		text := jose(random)
		if c.hex {
			text = hex.EncodeToString(random)
		}
		if c.json {
			return jsonLine(c.out, map[string]string{"random": text})
		}
		_, err = fmt.Fprintln(c.out, text)
		return err
	})
}
