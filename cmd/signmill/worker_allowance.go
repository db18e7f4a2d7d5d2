package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/worker"
)

// allowance reads what jobs may do with which keys of a vault.
func (o workerOptions) allowance(vault string) (a worker.Allowance, err error) {
	if a.Keys, err = aliases(vault, o.allowKey); err != nil {
		return a, err
	}
	for _, text := range o.allowOperation {
		operation := schema.Operation(text)
		if !operation.Known() {
			return a, usagef("--allow-operation %q: use one of %s", text, strings.Join(operationNames(), ", "))
		}
		a.Operations = append(a.Operations, operation)
	}
	if a.Operations == nil {
		a.Operations = []schema.Operation{schema.Sign}
	}
	return a, nil
}

func operationNames() []string {
	var names []string
	for _, o := range schema.Operations() {
		names = append(names, string(o))
	}
	return names
}

// aliases reads the keys that are allowed, as NAME[/VERSION][=ALIAS].
func aliases(vault string, allowed []string) (map[string]signer.Ref, error) {
	keys := map[string]signer.Ref{}
	for _, text := range allowed {
		key, alias, named := strings.Cut(text, "=")
		name, version, _ := strings.Cut(key, "/")
		if !named {
			alias = name
		}
		if name == "" || alias == "" {
			return nil, usagef("--allow-key %q: use NAME, NAME=ALIAS or NAME/VERSION=ALIAS", text)
		}
		if _, twice := keys[alias]; twice {
			return nil, usagef("--allow-key %q: the alias %s is taken", text, alias)
		}
		keys[alias] = signer.Ref{Vault: vault, Name: name, Version: version}
	}
	return keys, nil
}

// checkUse fails when none of the operations can be done with key, and says
// what stands in the way of the first that fits it.
func checkUse(key signer.Key, operations []schema.Operation) error {
	var first error
	for _, o := range operations {
		if !fitsSome(key, o) {
			continue
		}
		err := signer.Usable(key, o, time.Now())
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		return fmt.Errorf("no allowed operation fits %s", key.KID)
	}
	return first
}

// fitsSome reports whether an operation can be done with a key's type.
func fitsSome(key signer.Key, o schema.Operation) bool {
	if o == schema.GetPublicKey {
		return key.Public != nil
	}
	return slices.ContainsFunc(o.Algorithms(), func(a schema.Algorithm) bool { return signer.Fits(key, a) == nil })
}
