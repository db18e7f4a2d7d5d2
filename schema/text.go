package schema

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string. What it returns is never nil, and shares the document's
// memory unless it had escapes.
func (r *reader) text() ([]byte, *Invalid) {
	if bad := r.want('"', "a string"); bad != nil {
		return nil, bad
	}
	start := r.pos
	for ; r.pos < len(r.data); r.pos++ {
		switch c := r.data[r.pos]; {
		case c == '"':
			r.pos++
			return r.data[start : r.pos-1], nil
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			return nil, r.syntax("a control character stands in a string; write it as an escape")
		}
	}
	return nil, r.syntax("the document ends inside a string")
}

// escaped reads the rest of a string that began at start and has an escape
// here.
func (r *reader) escaped(start int) ([]byte, *Invalid) {
	out := append(make([]byte, 0, r.pos-start+32), r.data[start:r.pos]...)
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		switch {
		case c == '"':
			r.pos++
			return out, nil
		case c < ' ':
			return nil, r.syntax("a control character stands in a string; write it as an escape")
		case c != '\\':
			out = append(out, c)
			r.pos++
		default:
			char, bad := r.escape()
			if bad != nil {
				return nil, bad
			}
			out = utf8.AppendRune(out, char)
		}
	}
	return nil, r.syntax("the document ends inside a string")
}

// escape reads one escape sequence (RFC 8259, section 7).
func (r *reader) escape() (rune, *Invalid) {
	if r.pos+1 >= len(r.data) {
		return 0, r.syntax("the document ends inside a string")
	}
	const letters, means = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	c := r.data[r.pos+1]
	if c == 'u' {
		return r.escapedRune()
	}
	if i := strings.IndexByte(letters, c); i >= 0 {
		r.pos += 2
		return rune(means[i]), nil
	}
	return 0, r.syntax("an escape that JSON does not know")
}

// escapedRune reads \uXXXX, or two of them that form a surrogate pair. Half a
// pair is no character and is refused: replacing it could make two different
// ids equal.
func (r *reader) escapedRune() (rune, *Invalid) {
	first, ok := r.unit()
	if !ok {
		return 0, r.syntax("four hexadecimal digits must follow \\u")
	}
	r.pos += 6
	if !utf16.IsSurrogate(first) {
		return first, nil
	}
	second, ok := r.unit()
	char := utf16.DecodeRune(first, second)
	if !ok || char == utf8.RuneError {
		return 0, r.syntax("half a surrogate pair is no character")
	}
	r.pos += 6
	return char, nil
}

// unit returns the UTF-16 code unit that stands here as \uXXXX.
func (r *reader) unit() (rune, bool) {
	if r.pos+6 > len(r.data) || r.data[r.pos] != '\\' || r.data[r.pos+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.data[r.pos+2:r.pos+6]), 16, 16)
	return rune(n), err == nil
}
