package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// refer checks what the parts of a file say of each other.
func (r *reader) refer(f *File) {
	r.referVaults(f)
	r.referProducers(f)
	purposes := map[string]string{} // of a key in a vault: the first alias
	for _, alias := range slices.Sorted(maps.Keys(f.Keys)) {
		at := "keys." + alias
		k := f.Keys[alias]
		if v, known := f.Vaults[k.Vault]; !known && k.Vault != "" {
			r.pathFault(at+".vault", "there is no vault %s%s; name it under vaults", quoted(k.Vault), meant(k.Vault, slices.Sorted(maps.Keys(f.Vaults))))
		} else if v.URL != "" && k.Name != "" {
			id := v.URL + "/keys/" + strings.ToLower(k.Name)
			if first, twice := purposes[id]; twice && f.Keys[first].Purpose != k.Purpose {
				r.pathFault(at+".purpose", "the key is for %s under the alias %s: a key has one purpose, and another one takes another key", f.Keys[first].Purpose, first)
			} else if !twice {
				purposes[id] = alias
			}
		}
		r.referKey(f, k, at)
	}
}

// referVaults refuses two vaults that are one: they would use its quota twice.
func (r *reader) referVaults(f *File) {
	urls := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(f.Vaults)) {
		url := f.Vaults[name].URL
		if first, twice := urls[url]; twice && url != "" {
			r.pathFault("vaults."+name+".url", "this is the vault %s already", first)
		}
		urls[url] = name
	}
}

// referProducers wants each queue to have one meaning.
func (r *reader) referProducers(f *File) {
	owners := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(f.Producers)) {
		queue := f.Producers[name].Queue
		if queue == "" {
			continue
		}
		at := "producers." + name + ".queue"
		owner := owners[strings.ToLower(queue)]
		switch {
		case owner != "":
			r.pathFault(at, "%s is the queue of %s already, so that it would not tell who sent a job", quoted(queue), owner)
		case containsFold(f.Replies, queue):
			r.pathFault(at, "%s is among replies, so that results would come in as jobs", quoted(queue))
		}
		owners[strings.ToLower(queue)] = name
	}
	if containsFold(f.JobQueues(r.options.Jobs), r.options.Jobs) && containsFold(f.Replies, r.options.Jobs) {
		r.pathFault("replies", "%s is the job queue, so that results would come in as jobs", quoted(r.options.Jobs))
	}
}

// referKey looks up what a key names.
func (r *reader) referKey(f *File, k Key, at string) {
	for i, name := range k.Producers {
		if _, known := f.Producers[name]; !known && name != "" {
			r.pathFault(fmt.Sprintf("%s.producers[%d]", at, i), "there is no producer %s%s; name it under producers", quoted(name), meant(name, slices.Sorted(maps.Keys(f.Producers))))
		}
	}
	for i, name := range k.Replies {
		if name != "" && !containsFold(f.Replies, name) {
			r.pathFault(fmt.Sprintf("%s.replies[%d]", at, i), "%s is not among the file's replies (%s); add it there", quoted(name), strings.Join(f.Replies, ", "))
		}
	}
}
