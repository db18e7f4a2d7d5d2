package policy

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// mostItems bounds maxItems. The contract's own limit is below it.
const mostItems = 100_000

// latest is the word for a key's newest version.
const latest = "latest"

// key reads one entry of keys.
func (r *reader) key(n *yaml.Node, at string) Key {
	k := Key{Purpose: Digests}
	ok := r.object(n, at,
		field{"vault", true, func(n *yaml.Node, at string) { k.Vault = r.text(n, at) }},
		field{"key", true, func(n *yaml.Node, at string) { k.Name = r.keyName(n, at) }},
		field{"version", false, func(n *yaml.Node, at string) { k.Version = r.version(n, at) }},
		field{"purpose", false, func(n *yaml.Node, at string) { k.Purpose = oneOf(r, n, at, purposes()) }},
		field{"operations", false, func(n *yaml.Node, at string) { k.Operations = someOf(r, n, at, schema.Operations()) }},
		field{"algorithms", false, func(n *yaml.Node, at string) { k.Algorithms = someOf(r, n, at, schema.Algorithms()) }},
		field{"maxItems", false, func(n *yaml.Node, at string) { k.MaxItems = r.number(n, at, 1, mostItems) }},
		field{"producers", false, func(n *yaml.Node, at string) { k.Producers = r.names(n, at, maxProducers) }},
		field{"replies", false, func(n *yaml.Node, at string) { k.Replies = r.queues(n, at) }},
	)
	k.Operations = k.operations()
	if ok {
		r.checkOperations(k, at)
	}
	return k
}

func (r *reader) keyName(n *yaml.Node, at string) string {
	text := r.text(n, at)
	if text != "" && !signer.ValidName(text) {
		r.fault(n, at, "%s is not the name of a key: Key Vault takes 1 to 127 letters, digits and hyphens", quoted(text))
	}
	return text
}

// version reads 32 hex digits, or latest.
func (r *reader) version(n *yaml.Node, at string) string {
	text := r.text(n, at)
	switch {
	case text == latest || text == "":
		return ""
	case !signer.ValidVersion(text):
		r.fault(n, at, "%s is not the version of a key: use its 32 hex digits, or %s", quoted(text), latest)
	}
	return strings.ToLower(text)
}

// names is a list of different texts, whose meaning is checked at the end.
func (r *reader) names(n *yaml.Node, at string, most int) (names []string) {
	r.list(n, at, most, func(n *yaml.Node, at string) {
		text := r.text(n, at)
		if text != "" && slices.Contains(names, text) {
			r.fault(n, at, "%s is named already", quoted(text))
		}
		names = append(names, text)
	})
	return names
}

// queueForm is the form of a queue's name. No part of its path is empty or
// made of dots alone.
var queueForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]|[./][A-Za-z0-9_-])*$`)

// longestQueue is the broker's limit on the path of a queue, in characters.
// https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
const longestQueue = 260

// queue reads the name of a queue.
func (r *reader) queue(n *yaml.Node, at string) string {
	text := r.match(n, at, queueForm, "not the name of a queue: use letters, digits, and . - _ / between them")
	if len(text) > longestQueue {
		r.fault(n, at, "the name has %d characters, and %d is the limit", len(text), longestQueue)
	}
	return text
}

// queues is a list of different queues.
func (r *reader) queues(n *yaml.Node, at string) (queues []string) {
	r.list(n, at, maxReplies, func(n *yaml.Node, at string) {
		text := r.queue(n, at)
		if text != "" && containsFold(queues, text) {
			r.fault(n, at, "%s is named already; queues know no case", quoted(text))
		}
		queues = append(queues, text)
	})
	return queues
}

// checkOperations compares what a key may do with its purpose and algorithms.
func (r *reader) checkOperations(k Key, at string) {
	if k.Purpose == Certificates || k.Purpose == Tokens {
		for _, o := range []schema.Operation{schema.Decrypt, schema.UnwrapKey} {
			if k.Does(o) {
				r.pathFault(at+".operations", "%s does not go with the purpose %s: what is decrypted with an RSA key can be a signature", o, k.Purpose)
			}
		}
	}
	if k.Algorithms == nil || slices.Contains(k.Algorithms, "") || slices.Contains(k.Operations, "") {
		return
	}
	for _, a := range k.Algorithms {
		if !slices.ContainsFunc(k.operations(), func(o schema.Operation) bool { return o.Takes(a) }) {
			r.pathFault(at+".algorithms", "none of the operations %s takes %s", sentence(k.operations()), a)
		}
	}
	for _, o := range k.operations() {
		if o != schema.GetPublicKey && !slices.ContainsFunc(k.Algorithms, o.Takes) {
			r.pathFault(at+".operations", "%s is done with none of the algorithms %s", o, sentence(k.Algorithms))
		}
	}
}
