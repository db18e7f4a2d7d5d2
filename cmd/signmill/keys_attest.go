package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/signer/keyvault"
)

const keysAttestHelp = `Gets the proof of a Managed HSM that a key was made in its hardware. --json prints
it whole, with its parts in base64url; the tools of the hardware's maker check
it. Keys of other vaults have none.`

// attestationJSON is the form of an attestation on standard output.
type attestationJSON struct {
	KID          string `json:"kid"`
	Version      string `json:"attestationVersion,omitempty"`
	Certificates string `json:"certificates,omitempty"` // PEM
	Private      string `json:"privateKeyAttestation,omitempty"`
	Public       string `json:"publicKeyAttestation,omitempty"`
}

func newKeysAttest(o *keysOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "attest NAME[/VERSION]",
		Short:   "Get the proof that a key was made in hardware",
		Long:    keysAttestHelp,
		Example: "  signmill keys attest seal --json > seal.attestation.json",
		Args:    oneArg("NAME[/VERSION]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			key := parseKeyArg(args[0])
			return o.with(cmd, func(ctx context.Context, v *keyvault.Vault) error {
				proof, err := v.Attest(ctx, key.Name, key.Version)
				if err != nil {
					return err
				}
				return o.tellProof(proof)
			})
		},
	}
}

func (o *keysOptions) tellProof(p keyvault.Attestation) error {
	if o.json {
		return jsonLine(o.out, attestationJSON{
			KID: p.Key.KID, Version: p.Version, Certificates: string(p.Certificates),
			Private: jose(p.Private),
			Public:  jose(p.Public),
		})
	}
	t := display.NewTable(o.out)
	t.Fact("key", p.Key.KID)
	t.Fact("type", typeText(p.Key))
	t.Fact("attestation", p.Version)
	for _, part := range []struct {
		name string
		b    []byte
	}{{"certificates", p.Certificates}, {"private half", p.Private}, {"public half", p.Public}} {
		if part.b != nil {
			t.Fact(part.name, fmt.Sprintf("%d bytes", len(part.b)))
		}
	}
	return t.Close()
}
