package keyvault

import (
	"context"
	"fmt"
	"strings"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Vault keeps the keys of one vault or Managed HSM: makes, imports, lists,
// changes, rotates, backs up and deletes them. [Client.Vault] makes one; the
// zero value is not usable. All methods may be called from any goroutine.
//
// Every error is a [*signer.Error] whose message says what to do. When the
// context ends, the error also wraps the context's; what the vault had been
// asked for may then have been done or not.
type Vault struct {
	client *Client
	at     address
	sdk    *vault
}

// Vault returns a handle on the vault or Managed HSM with the base URL url,
// such as https://example.vault.azure.net. It makes no call. It fails with
// CodeForbidden when the URL is malformed, not under a known domain, or when
// the client has no credential for it.
func (c *Client) Vault(url string) (*Vault, error) {
	at, err := c.gate.address(url)
	if err != nil {
		return nil, &signer.Error{Code: schema.CodeForbidden, Message: err.Error()}
	}
	sdk, err := c.vault(at)
	if err != nil {
		return nil, &signer.Error{Code: schema.CodeForbidden, Message: err.Error()}
	}
	return &Vault{client: c, at: at, sdk: sdk}, nil
}

// URL returns the vault's base URL in one spelling: lower case, no default
// port, no slash at the end.
func (v *Vault) URL() string { return v.at.String() }

// HSM reports whether it is a Managed HSM, which holds HSM keys only.
func (v *Vault) HSM() bool { return v.at.hsm() }

// key checks the name and the version, if any, of a key of this vault.
func (v *Vault) key(name, version string) (keyID, error) {
	return v.client.gate.ref(signer.Ref{Vault: v.at.String(), Name: name, Version: version})
}

// ask carries out one operation that may be repeated.
func (v *Vault) ask(ctx context.Context, what string, id keyID, call func(context.Context) error) error {
	return v.client.do(ctx, task{keeping: &keeping{what: what}, id: id, vault: v.sdk, call: call})
}

// askOnce carries out one operation that would be done twice if it were
// repeated after an answer that was lost.
func (v *Vault) askOnce(ctx context.Context, what string, id keyID, call func(context.Context) error) error {
	return v.client.do(ctx, task{keeping: &keeping{what: what, once: true}, id: id, vault: v.sdk, call: call})
}

// own parses a key identifier that the vault names, with or without a
// version. It must be one of this vault.
func (v *Vault) own(kid string) (keyID, error) {
	base, rest, _ := strings.Cut(kid, "/keys/")
	name, version, _ := strings.Cut(rest, "/")
	at, err := v.client.gate.address(base)
	if err != nil || at != v.at || !signer.ValidName(name) || version != "" && !signer.ValidVersion(version) {
		return keyID{}, v.wrong(keyID{vault: v.at}, fmt.Sprintf("the answer names the key %q", clip(kid, 200)))
	}
	return keyID{at, name, strings.ToLower(version)}, nil
}

// wrong is an answer that cannot be right.
func (v *Vault) wrong(id keyID, what string) *signer.Error {
	return &signer.Error{Code: schema.CodeIntegrity, Message: id.String() + ": " + what + "; check what answers in the vault's place"}
}

// invalid is a request that is not worth a call.
func invalid(format string, args ...any) *signer.Error {
	return &signer.Error{Code: schema.CodeVaultRejected, Message: fmt.Sprintf(format, args...)}
}

// forget makes the next Resolve of any version of a key ask the vault.
func (c *cache) forget(key keyID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, s := range c.slots {
		if id.vault == key.vault && strings.EqualFold(id.name, key.name) {
			s.until = s.asked
		}
	}
}
