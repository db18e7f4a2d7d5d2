package policy

import (
	"go.yaml.in/yaml/v3"
)

// Producer is one who may send jobs. It is known by the queue that its jobs
// come in on, by a claim in each message, or by both.
type Producer struct {
	Queue string // "": the worker's own job queue
	Token *Token // nil: its queue alone tells
}

// Token says which claims of a producer are believed.
type Token struct {
	Issuer   string
	Audience string
	keys     []claimKey
}

// Bounds of a producer's keys.
const (
	maxClaimKeys = 8
	maxKeyBytes  = 16 << 10
)

// producer reads one entry of producers.
func (r *reader) producer(n *yaml.Node, at string) (p Producer) {
	ok := r.object(n, at,
		field{"queue", false, func(n *yaml.Node, at string) { p.Queue = r.queue(n, at) }},
		field{"token", false, func(n *yaml.Node, at string) { p.Token = r.token(n, at) }},
	)
	if ok && len(n.Content) == 0 {
		r.fault(n, at, "give it a queue of its own, a token, or both: nothing else tells who sent a job")
	}
	return p
}

func (r *reader) token(n *yaml.Node, at string) *Token {
	t := &Token{}
	r.object(n, at,
		field{"issuer", true, func(n *yaml.Node, at string) { t.Issuer = r.text(n, at) }},
		field{"audience", true, func(n *yaml.Node, at string) { t.Audience = r.text(n, at) }},
		field{"keys", true, func(n *yaml.Node, at string) { t.keys = r.claimKeys(n, at) }},
	)
	return t
}

// claimKeys reads public keys, each as itself or as the name of its file.
func (r *reader) claimKeys(n *yaml.Node, at string) (keys []claimKey) {
	r.list(n, at, maxClaimKeys, func(n *yaml.Node, at string) {
		text := r.text(n, at)
		if text == "" {
			return
		}
		data, err := r.keyText(text)
		if err != nil {
			r.fault(n, at, "%s", err)
			return
		}
		key, err := parseClaimKey(data)
		if err != nil {
			r.fault(n, at, "%s", err)
			return
		}
		for _, other := range keys {
			if other.id == key.id {
				r.fault(n, at, "another key has the id %s already", quoted(key.id))
			}
		}
		keys = append(keys, key)
	})
	return keys
}
