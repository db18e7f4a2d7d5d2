package policy

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// text reads a text that is not empty. It returns "" after a fault.
func (r *reader) text(n *yaml.Node, at string) string {
	switch {
	case !r.plain(n, at):
	case n.Kind == yaml.ScalarNode && n.Tag == "!!str" && n.Value == "", n.Tag == "!!null":
		r.fault(n, at, "there is no value; leave the field out, or give one")
	case n.Kind != yaml.ScalarNode:
		r.fault(n, at, "%s is no text", describe(n))
	case n.Tag != "!!str":
		r.fault(n, at, "%s is no text: put it in quotes", describe(n))
	default:
		return n.Value
	}
	return ""
}

// match is text in a certain form; wanted says which.
func (r *reader) match(n *yaml.Node, at string, form *regexp.Regexp, wanted string) string {
	text := r.text(n, at)
	if text != "" && !form.MatchString(text) {
		r.fault(n, at, "%s is %s", quoted(text), wanted)
		return ""
	}
	return text
}

// oneOf is text from a list of words.
func oneOf[T ~string](r *reader, n *yaml.Node, at string, words []T) T {
	text := T(r.text(n, at))
	if text != "" && !slices.Contains(words, text) {
		var all []string
		for _, w := range words {
			all = append(all, string(w))
		}
		r.fault(n, at, "%s is not known%s; use one of %s", quoted(string(text)), meant(string(text), all), strings.Join(all, ", "))
		return ""
	}
	return text
}

// someOf is a list of different words from a list.
func someOf[T ~string](r *reader, n *yaml.Node, at string, words []T) (some []T) {
	r.list(n, at, len(words), func(n *yaml.Node, at string) {
		word := oneOf(r, n, at, words)
		if word != "" && slices.Contains(some, word) {
			r.fault(n, at, "%s is named already", word)
		}
		some = append(some, word)
	})
	return some
}

var decimal = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// number reads a whole number.
func (r *reader) number(n *yaml.Node, at string, least, most int) int {
	if !r.plain(n, at) {
		return least
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || !decimal.MatchString(n.Value) || err != nil || v < least || v > most {
		r.fault(n, at, "%s is not a whole number from %d to %d", describe(n), least, most)
		return least
	}
	return v
}

// yes reads true or false.
func (r *reader) yes(n *yaml.Node, at string) bool {
	if r.plain(n, at) && (n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Value != "true" && n.Value != "false") {
		r.fault(n, at, "%s is neither true nor false", describe(n))
	}
	return n.Value == "true"
}
