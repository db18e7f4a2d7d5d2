package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// Version is the value of a file's "version" field.
const Version = "signmill.policy/v1"

// File is what a worker may do. Parse makes one that holds together; one that
// is made by hand must, too: each Key names a vault of Vaults. The zero value
// allows nothing.
type File struct {
	Vaults       map[string]Vault    // by the name that keys use
	Subscription quota.Units         // budget of all vaults together in 10 s; zero: none
	Keys         map[string]Key      // by alias
	Producers    map[string]Producer // who may send; empty: everybody who may write to the job queue
	Replies      []string            // reply queues; the first is for jobs without ReplyTo
}

// Vault is a vault or Managed HSM.
type Vault struct {
	URL   string      // base URL in lower case, without a slash at the end
	Quota quota.Units // that the vault allows all replicas in 10 s; zero: calls are not paced
	Share string      // this replica's part of it, as --share has it; "": all of it
	Costs quota.Costs // prices that differ from the documented ones
}

// Key is what may be done with a key under one alias.
type Key struct {
	Vault      string             // name among the file's vaults
	Name       string             // of the key in the vault
	Version    string             // 32 hex digits; "": the latest
	Purpose    Purpose            // what its signatures are for; "": Digests
	Operations []schema.Operation // nil: Sign alone; Parse says so
	Algorithms []schema.Algorithm // nil: all
	MaxItems   int                // of one job; zero: as many as the contract allows
	Producers  []string           // nil: all that may send
	Replies    []string           // nil: all reply queues
}

// Purpose is what the signatures of a key are for.
type Purpose string

// The purposes of keys. A key for certificates or tokens signs nothing that
// the worker has not seen: whoever may have a digest signed can have any
// certificate and any token signed.
const (
	Digests      Purpose = "digests"
	Certificates Purpose = "certificates"
	Tokens       Purpose = "tokens"
)

func purposes() []Purpose { return []Purpose{Digests, Certificates, Tokens} }

// operations returns what may be done with k.
func (k Key) operations() []schema.Operation {
	if k.Operations == nil {
		return []schema.Operation{schema.Sign}
	}
	return k.Operations
}

// Does reports whether an operation may be done with k.
func (k Key) Does(o schema.Operation) bool { return slices.Contains(k.operations(), o) }

// Ref returns the key behind k.
func (f *File) Ref(k Key) signer.Ref {
	return signer.Ref{Vault: f.Vaults[k.Vault].URL, Name: k.Name, Version: k.Version}
}

// JobQueues returns the queues that jobs come in on: those of producers, and
// main where some producer has none of its own, or everybody may send.
func (f *File) JobQueues(main string) []string {
	var queues []string
	needed := len(f.Producers) == 0
	for _, name := range slices.Sorted(maps.Keys(f.Producers)) {
		if q := f.Producers[name].Queue; q != "" {
			queues = append(queues, q)
		} else {
			needed = true
		}
	}
	if needed && !containsFold(queues, main) {
		queues = append([]string{main}, queues...)
	}
	return queues
}

// containsFold is slices.Contains for names of queues, which know no case.
func containsFold(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}
