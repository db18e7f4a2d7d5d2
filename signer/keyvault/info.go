package keyvault

import (
	"crypto"
	"crypto/rsa"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// KeyInfo is what a vault tells about a key or a version of it. Lists tell
// less: no type, no operations, no public key, and in a list of keys no
// version.
type KeyInfo struct {
	KID     string // the identifier, with the version if there is one
	Name    string
	Version string // 32 hex digits; "" in lists of keys

	Type       string           // RSA, RSA-HSM, EC, EC-HSM, oct or oct-HSM; "" in lists
	Size       int              // bits of an RSA modulus; else 0
	Curve      string           // P-256, P-384, P-521 or P-256K; "" if not EC
	Operations []string         // key_ops; nil when the vault did not say
	Public     crypto.PublicKey // as in signer.Key; nil in lists and for symmetric keys

	Enabled         bool
	NotBefore       time.Time // zero: no limit
	Expires         time.Time // zero: no limit
	Created         time.Time
	Updated         time.Time
	Exportable      bool
	RecoveryLevel   string // such as Recoverable+Purgeable
	RecoverableDays int    // days between deletion and the end
	HSMPlatform     string // what the hardware is; "" when the vault did not say
	Managed         bool   // belongs to a certificate, and lives and dies with it

	Tags          map[string]string // nil: none
	ReleasePolicy *ReleasePolicy    // nil: none
	Deletion      *Deletion         // nil: not deleted
}

// Deletion says when a key was deleted, and until when it can be recovered.
type Deletion struct {
	RecoveryID string    // the identifier under which it can be recovered
	Deleted    time.Time // zero when the vault did not say
	Purge      time.Time // when it is lost for good; zero when the vault did not say
}

// ReleasePolicy says which enclaves may take an exportable key out of a vault.
type ReleasePolicy struct {
	Policy      []byte // a JSON document
	ContentType string // "": application/json; charset=utf-8
	Immutable   bool   // can never be changed again
}

// about reads an answer about one version. It must be about the key that was
// asked for.
func (v *Vault) about(id keyID, bundle azkeys.KeyBundle) (KeyInfo, error) {
	if bundle.Key == nil {
		return KeyInfo{}, v.wrong(id, "the answer holds no key")
	}
	got, err := v.own(string(value(bundle.Key.KID)))
	if err != nil {
		return KeyInfo{}, err
	}
	if !strings.EqualFold(got.name, id.name) || got.version == "" || id.version != "" && got.version != id.version {
		return KeyInfo{}, v.wrong(id, "the answer is about "+got.String())
	}
	info := KeyInfo{
		KID: got.String(), Name: got.name, Version: got.version,
		Managed: value(bundle.Managed), Tags: tagsOf(bundle.Tags), ReleasePolicy: policyOf(bundle.ReleasePolicy),
	}
	info.attributes(bundle.Attributes)
	return info, info.material(got, bundle.Key)
}

// material reads type, operations and public half. A type without a public
// half here is no error: such a key can be kept all the same.
func (k *KeyInfo) material(id keyID, jwk *azkeys.JSONWebKey) error {
	k.Type, k.Curve = clip(string(value(jwk.Kty)), 16), clip(string(value(jwk.Crv)), 16)
	k.Operations = operations(jwk)
	if strings.HasPrefix(k.Type, "oct") {
		return nil
	}
	public, err := publicKey(id, jwk)
	if err != nil {
		if signer.AsError(err).Code == schema.CodeAlgorithmNotFitting {
			return nil
		}
		return err
	}
	k.Public = public
	if key, ok := public.(*rsa.PublicKey); ok {
		k.Size = key.N.BitLen()
	}
	return nil
}

func (k *KeyInfo) attributes(a *azkeys.KeyAttributes) {
	k.Enabled = true
	if a == nil {
		return
	}
	k.Enabled = a.Enabled == nil || *a.Enabled
	k.NotBefore, k.Expires = value(a.NotBefore), value(a.Expires)
	k.Created, k.Updated = value(a.Created), value(a.Updated)
	k.Exportable = value(a.Exportable)
	k.RecoveryLevel, k.RecoverableDays = clip(value(a.RecoveryLevel), 64), int(value(a.RecoverableDays))
	k.HSMPlatform = clip(value(a.HSMPlatform), 64)
}

// listed reads one entry of a list.
func (v *Vault) listed(kid *azkeys.ID, a *azkeys.KeyAttributes, tags map[string]*string, managed *bool) (KeyInfo, error) {
	id, err := v.own(string(value(kid)))
	if err != nil {
		return KeyInfo{}, err
	}
	info := KeyInfo{KID: id.String(), Name: id.name, Version: id.version, Managed: value(managed), Tags: tagsOf(tags)}
	info.attributes(a)
	return info, nil
}

func deletion(recovery *string, deleted, purge *time.Time) *Deletion {
	return &Deletion{RecoveryID: clip(value(recovery), 300), Deleted: value(deleted), Purge: value(purge)}
}

func tagsOf(tags map[string]*string) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	plain := make(map[string]string, len(tags))
	for name, text := range tags {
		plain[name] = value(text)
	}
	return plain
}

func policyOf(p *azkeys.KeyReleasePolicy) *ReleasePolicy {
	if p == nil {
		return nil
	}
	return &ReleasePolicy{Policy: p.EncodedPolicy, ContentType: value(p.ContentType), Immutable: value(p.Immutable)}
}
