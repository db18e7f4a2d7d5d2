package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader turns nodes into values and collects the faults. After a fault it
// goes on with a zero value.
type reader struct {
	options Options
	faults  Faults
	more    int                   // faults that were not kept
	lines   map[string]*yaml.Node // of each path, for what is checked at the end
}

// field is a field of a mapping.
type field struct {
	name     string
	required bool
	read     func(n *yaml.Node, at string)
}

func (r *reader) fault(n *yaml.Node, at, format string, args ...any) {
	r.add(Fault{n.Line, n.Column, at, fmt.Sprintf(format, args...)})
}

// add keeps a fault, unless there are more than anyone reads.
func (r *reader) add(f Fault) {
	if len(r.faults) == 10*maxFaults {
		r.more++
		return
	}
	r.faults = append(r.faults, f)
}

// whole is a fault of the whole file.
func (r *reader) whole(format string, args ...any) { r.fault(&yaml.Node{}, "", format, args...) }

// pathFault is a fault of a value that was read before.
func (r *reader) pathFault(at, format string, args ...any) {
	n := r.lines[at]
	for up := at; n == nil && up != ""; n = r.lines[up] {
		up = up[:max(0, strings.LastIndexAny(up, ".["))]
	}
	if n == nil {
		n = &yaml.Node{}
	}
	r.fault(n, at, format, args...)
}

// join returns the path of a field.
func join(at, name string) string { return strings.TrimPrefix(at+"."+name, ".") }

// object reads a mapping with certain fields. It reports whether n is a
// mapping.
func (r *reader) object(n *yaml.Node, at string, fields ...field) bool {
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	seen := map[string]bool{}
	ok := r.pairs(n, at, func(key, value *yaml.Node) {
		i := slices.Index(names, key.Value)
		if i < 0 {
			r.fault(key, at, "%s is no field here%s; there are %s", quoted(key.Value), meant(key.Value, names), strings.Join(names, ", "))
			return
		}
		seen[key.Value] = true
		fields[i].read(value, join(at, key.Value))
	})
	for _, f := range fields {
		if ok && f.required && !seen[f.name] {
			r.fault(n, at, "%s is missing", f.name)
		}
	}
	return ok
}

// name is what vaults, keys and producers may be called.
var name = regexp.MustCompile(`^[A-Za-z0-9-]{1,127}$`)

// entries reads a mapping whose keys are names.
func (r *reader) entries(n *yaml.Node, at string, most int, read func(name string, n *yaml.Node, at string)) {
	if n.Kind == yaml.MappingNode && len(n.Content)/2 > most {
		r.fault(n, at, "there are %d entries, and %d is the limit", len(n.Content)/2, most)
		return
	}
	ok := r.pairs(n, at, func(key, value *yaml.Node) {
		if !name.MatchString(key.Value) {
			r.fault(key, at, "%s is no name: use 1 to 127 letters, digits and hyphens", quoted(key.Value))
			return
		}
		read(key.Value, value, join(at, key.Value))
	})
	if ok && len(n.Content) == 0 {
		r.fault(n, at, "there is none; leave the field out, or name one")
	}
}

// pairs visits the keys and values of a mapping, each key once. It reports
// whether n is one.
func (r *reader) pairs(n *yaml.Node, at string, visit func(key, value *yaml.Node)) bool {
	if !r.plain(n, at) {
		return false
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n, at, "%s is not a mapping: write fields, each as name: value", describe(n))
		return false
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch first, twice := lines[key.Value], lines[key.Value] > 0; {
		case !r.plain(key, at):
		case key.Kind != yaml.ScalarNode:
			r.fault(key, at, "%s is no name of a field", describe(key))
		case key.Tag != "!!str":
			r.fault(key, at, "the name %s is read as something else than text: put it in quotes", describe(key))
		case twice:
			r.fault(key, at, "%s stands in line %d already", quoted(key.Value), first)
		default:
			lines[key.Value] = key.Line
			r.lines[join(at, key.Value)] = key
			visit(key, value)
		}
	}
	return true
}

// plain refuses what makes YAML hard to read and costly: anchors, aliases and
// tags.
func (r *reader) plain(n *yaml.Node, at string) bool {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.fault(n, at, "anchors and aliases are not read here: write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n, at, "tags such as %s are not read here: leave it out", quoted(n.Tag))
	default:
		return true
	}
	return false
}

// list reads a list of 1 to most entries.
func (r *reader) list(n *yaml.Node, at string, most int, read func(n *yaml.Node, at string)) {
	switch {
	case !r.plain(n, at):
	case n.Kind != yaml.SequenceNode:
		r.fault(n, at, "%s is not a list: write it as [%s]", describe(n), "a, b")
	case len(n.Content) == 0:
		r.fault(n, at, "the list is empty; leave the field out, or name something")
	case len(n.Content) > most:
		r.fault(n, at, "the list has %d entries, and %d is the limit", len(n.Content), most)
	default:
		for i, entry := range n.Content {
			at := at + "[" + strconv.Itoa(i) + "]"
			r.lines[at] = entry
			read(entry, at)
		}
	}
}
