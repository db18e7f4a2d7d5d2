package campaign

import (
	"context"
	"crypto"
	"fmt"
	"strings"
	"sync"

	"github.com/signmill/signmill/signer"
)

// Keyring holds the public keys that may have made the signatures of a
// signing. A reply only names its key; which keys count is decided here.
type Keyring struct {
	Pinned   crypto.PublicKey // the one key; nil: ask Resolver
	Resolver signer.Resolver  // finds the versions of Ref
	Ref      signer.Ref       // the key, without a version

	mu    sync.Mutex // guards known; held while the vault is asked, so that it is asked once
	known map[string]crypto.PublicKey
}

// public returns the public key with the identifier kid. It refuses another
// vault's key and another key's version.
func (k *Keyring) public(ctx context.Context, kid string) (crypto.PublicKey, error) {
	if k.Pinned != nil {
		return k.Pinned, nil
	}
	version, err := k.version(kid)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if public, ok := k.known[kid]; ok {
		return public, nil
	}
	ref := k.Ref
	ref.Version = version
	key, err := k.Resolver.Resolve(ctx, ref)
	if err != nil {
		return nil, err
	}
	if k.known == nil {
		k.known = map[string]crypto.PublicKey{}
	}
	k.known[kid] = key.Public
	return key.Public, nil
}

// version returns the version that kid names, if it is one of Ref's.
func (k *Keyring) version(kid string) (string, error) {
	version := kidVersion(kid)
	want := strings.TrimSuffix(k.Ref.Vault, "/") + "/keys/" + k.Ref.Name + "/" + version
	if version == "" || !strings.EqualFold(kid, want) {
		return "", fmt.Errorf("the reply names the key %q, not a version of %s in %s: if the worker knows it under another name, give --vault-key",
			kid, k.Ref.Name, k.Ref.Vault)
	}
	return version, nil
}

// kidVersion returns what follows the last slash.
func kidVersion(kid string) string { return kid[strings.LastIndex(kid, "/")+1:] }
