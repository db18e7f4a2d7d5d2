package keyvault

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// attest names the task, whose refusals have a cure of their own.
const attest = "attest"

// Attestation is the proof of a Managed HSM that a key was made in it. It is
// checked with the tools of the hardware's maker; nothing of it is checked
// here.
type Attestation struct {
	Key          KeyInfo
	Version      string // of the attestation's form
	Certificates []byte // in PEM; nil when there are none
	Private      []byte // about the private half; nil when there is none
	Public       []byte // about the public half; nil when there is none
}

// Attest returns the attestation of one version of a key, the latest when
// version is empty. A key without one, as in a vault that is no Managed HSM,
// is CodeKeyUnusable.
func (v *Vault) Attest(ctx context.Context, name, version string) (Attestation, error) {
	id, err := v.key(name, version)
	if err != nil {
		return Attestation{}, err
	}
	var proof Attestation
	proof.Key, err = v.version(ctx, attest, id, v.ask, func(ctx context.Context) (azkeys.KeyBundle, error) {
		answer, err := v.sdk.GetKeyAttestation(ctx, id.name, id.version, nil)
		if err == nil {
			proof.read(answer.Attributes)
		}
		return answer.KeyBundle, err
	})
	switch {
	case err != nil:
		return Attestation{}, err
	case proof.Private == nil && proof.Public == nil:
		return Attestation{}, &signer.Error{Code: schema.CodeKeyUnusable, Message: attest + " " + proof.Key.KID + ": the vault has no attestation for the key; only keys that a Managed HSM has made have one"}
	}
	return proof, nil
}

func (p *Attestation) read(attributes *azkeys.KeyAttributes) {
	if attributes == nil || attributes.Attestation == nil {
		return
	}
	a := attributes.Attestation
	p.Version = clip(value(a.Version), 32)
	p.Certificates, p.Private, p.Public = a.CertificatePEMFile, a.PrivateKeyAttestation, a.PublicKeyAttestation
}
