package policy

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/signmill/signmill/signer/quota"
)

// Bounds of a file.
const (
	MaxBytes     = 512 << 10 // of the whole file
	maxVaults    = 50
	maxKeys      = 1000
	maxProducers = 100
	maxReplies   = 100
)

// Options say what a file may refer to.
type Options struct {
	Local    bool                              // admits vaults on this machine, over http too
	Quota    quota.Units                       // of vaults that name none; zero: their calls are not paced
	Share    string                            // of vaults that name none
	Jobs     string                            // the job queue of producers without one of their own; "": jobs
	ReadFile func(name string) ([]byte, error) // reads the keys of producers; nil: a file that names one is refused
	IsShare  func(share string) error          // says what is wrong with a share beyond its form; nil: nothing
}

// Parse reads a file. The error is [Faults]: all that is wrong.
func Parse(data []byte, o Options) (*File, error) {
	if o.Jobs == "" {
		o.Jobs = "jobs"
	}
	r := &reader{options: o, lines: map[string]*yaml.Node{}}
	f := &File{}
	if root := r.load(data); root != nil {
		r.file(root, f)
		r.refer(f)
	}
	if len(r.faults) > 0 {
		return nil, r.faults.sorted(r.more)
	}
	return f, nil
}

// load returns the one document of a file, or nil.
func (r *reader) load(data []byte) *yaml.Node {
	switch {
	case len(data) > MaxBytes:
		r.whole("the file has %d bytes, and %d is the limit", len(data), MaxBytes)
		return nil
	case !utf8.Valid(data):
		r.whole("the file is not UTF-8")
		return nil
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var root, more yaml.Node
	if err := d.Decode(&root); errors.Is(err, io.EOF) || err == nil && len(root.Content) == 0 {
		r.whole("the file is empty: begin it with version: %s", Version)
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	switch err := d.Decode(&more); {
	case err == nil:
		r.fault(&more, "", "a second document begins here; a file has one")
	case !errors.Is(err, io.EOF):
		r.syntax(err)
	}
	return root.Content[0]
}

var syntaxError = regexp.MustCompile(`(?s)^yaml: (?:line ([0-9]+): )?(.*)$`)

// syntax takes in an error of the YAML parser.
func (r *reader) syntax(err error) {
	f := Fault{Message: "this is no YAML: " + err.Error()}
	if m := syntaxError.FindStringSubmatch(err.Error()); m != nil {
		f.Line, _ = strconv.Atoi(m[1])
		f.Message = "this is no YAML: " + m[2]
	}
	r.add(f)
}

// file reads the whole file.
func (r *reader) file(n *yaml.Node, f *File) {
	f.Vaults, f.Keys, f.Producers, f.Replies = map[string]Vault{}, map[string]Key{}, map[string]Producer{}, []string{"replies"}
	r.object(n, "",
		field{"version", true, func(n *yaml.Node, at string) {
			if v := r.text(n, at); v != Version && v != "" {
				r.fault(n, at, "%s is not known; this signmill reads %s", quoted(v), Version)
			}
		}},
		field{"vaults", true, func(n *yaml.Node, at string) {
			r.entries(n, at, maxVaults, func(name string, n *yaml.Node, at string) { f.Vaults[name] = r.vault(n, at) })
		}},
		field{"subscription", false, func(n *yaml.Node, at string) {
			r.object(n, at, field{"quota", true, func(n *yaml.Node, at string) {
				f.Subscription = quota.Units(r.number(n, at, 1, mostUnits))
			}})
		}},
		field{"producers", false, func(n *yaml.Node, at string) {
			r.entries(n, at, maxProducers, func(name string, n *yaml.Node, at string) { f.Producers[name] = r.producer(n, at) })
		}},
		field{"keys", true, func(n *yaml.Node, at string) {
			r.entries(n, at, maxKeys, func(name string, n *yaml.Node, at string) { f.Keys[name] = r.key(n, at) })
		}},
		field{"replies", false, func(n *yaml.Node, at string) { f.Replies = r.queues(n, at) }},
	)
}
