package main

import (
	"errors"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker/policy"
)

// rules are what jobs may do now. A change replaces them as a whole: a job is
// judged by the rules that it finds, and keeps the key that they gave it.
type rules struct{ now atomic.Pointer[policy.File] }

// Allow implements worker.Policy.
func (r *rules) Allow(job schema.Job, m queue.Message) (signer.Ref, error) {
	return r.now.Load().Allow(job, m)
}

// Identify implements worker.Identifier.
func (r *rules) Identify(job schema.Job, m queue.Message) string {
	return r.now.Load().Identify(job, m)
}

// Several implements worker.Several.
func (r *rules) Several() bool { return len(r.now.Load().Keys) > 1 }

// grants returns the rules to begin with: the file's, or what the flags say.
func (o workerOptions) grants(b backend) (*policy.File, error) {
	if b.Policy != nil {
		return b.Policy, nil
	}
	if o.budget.units < 0 {
		return nil, usagef("--quota %d: a negative Quota", o.budget.units)
	}
	const vault = "vault"
	a, err := o.allowance(b.VaultURL)
	if err != nil {
		return nil, err
	}
	f := &policy.File{
		Vaults:  map[string]policy.Vault{vault: {URL: b.VaultURL, Quota: quota.Units(o.budget.units), Share: o.budget.share}},
		Keys:    map[string]policy.Key{},
		Replies: append([]string{o.replies}, o.allowReply...),
	}
	for alias, ref := range a.Keys {
		f.Keys[alias] = policy.Key{Vault: vault, Name: ref.Name, Version: ref.Version, Operations: a.Operations}
	}
	return f, nil
}

// checkKeys refuses keys that no vault could have, before one is asked.
func checkKeys(f *policy.File, vault *keyvault.Client) error {
	var faults []error
	for _, alias := range slices.Sorted(maps.Keys(f.Keys)) {
		faults = append(faults, vault.Check(f.Ref(f.Keys[alias])))
	}
	return errors.Join(faults...)
}
