package policy

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// quoted shows a text of others: short, and on one line.
func quoted(text string) string { return strconv.QuoteToGraphic(brief(text)) }

// brief cuts a text of others.
func brief(text string) string {
	const most = 80
	if len(text) > most {
		text = text[:most] + "..."
	}
	return text
}

// sentence lists words, as many as fit into an answer.
func sentence[T ~string](words []T) string {
	const most = 400
	var b strings.Builder
	for i, w := range words {
		if b.Len()+len(w) > most {
			fmt.Fprintf(&b, " and %d more", len(words)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

// describe shows a value that is not what it should be.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return quoted(n.Value)
}

// meant guesses which of the words was meant by one that is none.
func meant(text string, words []string) string {
	if near := Nearest(text, words); near != "" {
		return ", did you mean " + near + "?"
	}
	return ""
}

// Nearest returns the word with the fewest typing errors in text, at most two
// and fewer than it has letters, the first of several; "" when there is none.
func Nearest(text string, words []string) string {
	best, least := "", 3
	for _, w := range words {
		if d := distance(text, w); d < least && d < len(w) {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace between a and b
// (Levenshtein).
func distance(a, b string) int {
	if len(a) > 2*len(b) {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
