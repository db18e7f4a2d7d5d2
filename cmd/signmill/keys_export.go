package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
)

const keysExportHelp = `Writes the public half of a key for others to verify or encrypt with: as PEM, DER
(SubjectPublicKeyInfo) or JWK, the latest version unless another is named.

--all-versions writes that of every enabled version: PEM blocks in the vault's
order, or a JWK set. Disabled versions are left out with a warning.`

const keysExportExamples = `  signmill keys export-public invoices > invoices.pem
  signmill keys export-public invoices --all-versions --format jwk --out jwks.json
  signmill keys export-public invoices --format der --out invoices.der`

// exportFormats are the values of --format.
func exportFormats() []string { return []string{"pem", "der", "jwk"} }

type keysExport struct {
	*keysOptions
	format string
	all    bool
	file   string
	force  bool
}

func newKeysExport(o *keysOptions) *cobra.Command {
	c := &keysExport{keysOptions: o}
	cmd := &cobra.Command{
		Use:     "export-public NAME[/VERSION]",
		Short:   "Write the public half of a key",
		Long:    keysExportHelp,
		Example: keysExportExamples,
		Args:    oneArg("NAME[/VERSION]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			key := parseKeyArg(args[0])
			if err := c.checkFlags(key); err != nil {
				return err
			}
			return c.with(cmd, func(ctx context.Context, v *keyvault.Vault) error { return c.run(ctx, v, key) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.format, "format", "pem", "pem, der or jwk")
	f.BoolVar(&c.all, "all-versions", false, "all enabled versions")
	f.StringVar(&c.file, "out", "", "write to this file instead of standard output")
	f.BoolVar(&c.force, "force", false, "overwrite the file")
	unbind(f, "out")
	completeFlag(cmd, "format", exportFormats())
	return cmd
}

func (c *keysExport) checkFlags(key keyArg) error {
	switch {
	case c.format != "pem" && c.format != "der" && c.format != "jwk":
		return usagef("--format %q: use one of %v", c.format, exportFormats())
	case c.all && key.Version != "":
		return usagef("NAME/VERSION and --all-versions exclude each other")
	case c.all && c.format == "der":
		return usagef("DER holds one key: use --format pem or jwk with --all-versions")
	case c.format == "der" && c.file == "" && display.IsTerminal(c.out):
		return usagef("DER is not for terminals: use --out FILE")
	case c.file != "":
		return files.Free(c.file, c.force)
	}
	return nil
}

func (c *keysExport) run(ctx context.Context, v *keyvault.Vault, key keyArg) error {
	keys, err := c.versions(ctx, v, key)
	if err != nil {
		return err
	}
	text, err := c.render(keys)
	if err != nil {
		return err
	}
	if c.file != "" {
		return files.Write(c.file, text, files.ForAll)
	}
	_, err = c.out.Write(text)
	return err
}

// versions gets what is to be written.
func (c *keysExport) versions(ctx context.Context, v *keyvault.Vault, key keyArg) ([]keyvault.KeyInfo, error) {
	if !c.all {
		info, err := v.Get(ctx, key.Name, key.Version)
		return []keyvault.KeyInfo{info}, err
	}
	var keys []keyvault.KeyInfo
	for k, err := range v.Versions(ctx, key.Name) {
		if err != nil {
			return nil, err
		}
		if !k.Enabled {
			fmt.Fprintf(c.err, "signmill: version %s is disabled and left out\n", k.Version)
			continue
		}
		info, err := v.Get(ctx, key.Name, k.Version)
		if err != nil {
			return nil, err
		}
		keys = append(keys, info)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s has no enabled version", key.Name)
	}
	return keys, nil
}

func (c *keysExport) render(keys []keyvault.KeyInfo) ([]byte, error) {
	var text bytes.Buffer
	var set []publicJWK
	for _, k := range keys {
		if k.Public == nil {
			return nil, fmt.Errorf("%s is a key of type %s and has no public half to write", k.KID, typeText(k))
		}
		block, err := signer.MarshalPEM(k.Public)
		if err != nil {
			return nil, err
		}
		text.Write(block)
		set = append(set, newPublicJWK(k))
	}
	switch {
	case c.format == "der":
		block, _ := pem.Decode(text.Bytes())
		return block.Bytes, nil
	case c.format == "jwk" && c.all:
		return indented(map[string]any{"keys": set})
	case c.format == "jwk":
		return indented(set[0])
	}
	return text.Bytes(), nil
}

// indented writes JSON for a file that people may look at.
func indented(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}
