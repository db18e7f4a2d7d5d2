package schema

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// reader takes one JSON document apart from left to right, without
// backtracking and without recursion: its callers name what must come next.
// Its first fault ends the reading.
type reader struct {
	data []byte
	pos  int
	path []step // where the reader stands, for faults
	code Code   // of a field that is not as it must be
}

// step is one part of a path: a name, or an index when name is "".
type step struct {
	name  string
	index int
}

// fault reports that the field at which the reader stands is not as it must
// be.
func (r *reader) fault(format string, args ...any) *Invalid {
	return invalid(r.code, r.field(), format, args...)
}

// syntax reports text that is not JSON.
func (r *reader) syntax(text string) *Invalid {
	return invalid(CodeNotJSON, r.field(), "not JSON at byte %d: %s", r.pos, text)
}

// field returns the JSON pointer to where the reader stands.
func (r *reader) field() string {
	steps := make([]any, len(r.path))
	for i, s := range r.path {
		steps[i] = s.name
		if s.name == "" {
			steps[i] = s.index
		}
	}
	return pointer(steps...)
}

// at calls visit with s at the end of the path.
func (r *reader) at(s step, visit func() *Invalid) *Invalid {
	r.path = append(r.path, s)
	bad := visit()
	r.path = r.path[:len(r.path)-1]
	return bad
}

// object reads an object that has only the fields of the list, each at most
// once, and the first required of them. It calls visit before each value.
func (r *reader) object(fields []string, required int, visit func(field string) *Invalid) *Invalid {
	var seen uint
	bad := r.members(func(name []byte) *Invalid {
		i := slices.IndexFunc(fields, func(f string) bool { return f == string(name) })
		if i < 0 {
			return r.at(step{name: string(name)}, func() *Invalid {
				return r.fault("unknown field; known here are %s", strings.Join(fields, ", "))
			})
		}
		return r.at(step{name: fields[i]}, func() *Invalid {
			if seen&(1<<i) != 0 {
				return r.fault("stands more than once")
			}
			seen |= 1 << i
			return visit(fields[i])
		})
	})
	if bad != nil {
		return bad
	}
	for i, f := range fields[:required] {
		if seen&(1<<i) == 0 {
			return r.at(step{name: f}, func() *Invalid { return r.fault("is missing") })
		}
	}
	return nil
}

// members reads an object of any fields. It calls visit with each name, before
// the value.
func (r *reader) members(visit func(name []byte) *Invalid) *Invalid {
	if bad := r.want('{', "an object"); bad != nil {
		return bad
	}
	if r.take('}') {
		return nil
	}
	for {
		if !r.next('"') {
			return r.syntax("a field name in double quotes must come here")
		}
		name, bad := r.text()
		if bad != nil {
			return bad
		}
		if !r.take(':') {
			return r.syntax("a colon must come after a field name")
		}
		if bad := visit(name); bad != nil {
			return bad
		}
		if r.take('}') {
			return nil
		}
		if !r.take(',') {
			return r.syntax("a comma or the end of the object must come here")
		}
	}
}

// elements reads an array. It calls visit before each value.
func (r *reader) elements(visit func(index int) *Invalid) *Invalid {
	if bad := r.want('[', "an array"); bad != nil {
		return bad
	}
	if r.take(']') {
		return nil
	}
	for i := 0; ; i++ {
		if bad := r.at(step{index: i}, func() *Invalid { return visit(i) }); bad != nil {
			return bad
		}
		if r.take(']') {
			return nil
		}
		if !r.take(',') {
			return r.syntax("a comma or the end of the array must come here")
		}
	}
}

// boolean reads true or false.
func (r *reader) boolean() (bool, *Invalid) {
	r.space()
	if bytes.HasPrefix(r.data[r.pos:], []byte("true")) {
		r.pos += len("true")
		return true, nil
	}
	if bytes.HasPrefix(r.data[r.pos:], []byte("false")) {
		r.pos += len("false")
		return false, nil
	}
	return false, r.mismatch("true or false")
}

// end reports anything but white space after the document.
func (r *reader) end() *Invalid {
	r.space()
	if r.pos < len(r.data) {
		return r.syntax("something follows the document; a message holds exactly one")
	}
	return nil
}

// want reads the character that begins a value of the wanted kind.
func (r *reader) want(c byte, what string) *Invalid {
	if r.take(c) {
		return nil
	}
	return r.mismatch(what)
}

// mismatch says which kind of value stands where another was wanted.
func (r *reader) mismatch(want string) *Invalid {
	if r.pos == len(r.data) {
		return r.syntax("the document ends too early")
	}
	is := r.kind()
	if is == "" {
		return r.syntax("a value must come here")
	}
	return r.fault("must be %s, is %s", want, is)
}

// kind names the value that begins here, or returns "" when none does.
func (r *reader) kind() string {
	rest := r.data[r.pos:]
	switch c := rest[0]; {
	case c == '"':
		return "a string"
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '-' || '0' <= c && c <= '9':
		return "a number"
	case bytes.HasPrefix(rest, []byte("true")), bytes.HasPrefix(rest, []byte("false")):
		return "a boolean"
	case bytes.HasPrefix(rest, []byte("null")):
		return "null; leave the field out instead"
	}
	return ""
}

// take reads c, after white space, if it comes next.
func (r *reader) take(c byte) bool {
	if !r.next(c) {
		return false
	}
	r.pos++
	return true
}

// next reports whether c comes next, after white space.
func (r *reader) next(c byte) bool {
	r.space()
	return r.pos < len(r.data) && r.data[r.pos] == c
}

// space skips white space (RFC 8259, section 2).
func (r *reader) space() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// open checks what must hold before the first field of a document.
func (r *reader) open() *Invalid {
	switch {
	case len(r.data) == 0:
		return r.syntax("the document is empty")
	case bytes.HasPrefix(r.data, byteOrderMark()):
		return r.syntax("the document begins with a byte order mark; leave it out (RFC 8259, section 8.1)")
	case !utf8.Valid(r.data):
		valid := bytes.ToValidUTF8(r.data, nil)
		for r.pos < len(valid) && valid[r.pos] == r.data[r.pos] {
			r.pos++
		}
		return r.syntax("not UTF-8")
	case !r.next('{'):
		return r.syntax("the document must be one JSON object")
	}
	return nil
}

// byteOrderMark returns U+FEFF in UTF-8.
func byteOrderMark() []byte { return []byte("\xef\xbb\xbf") }
