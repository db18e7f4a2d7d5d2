package schema

import "bytes"

// identified adds to a fault of a document what can still be read of it: the
// id, so that an answer can name it, and the version. A document of another
// version is refused for that, not for fields which that version may well
// have.
func identified(bad *Invalid, data []byte, version string) *Invalid {
	is, id := peek(data)
	if bad.Code != CodeNotJSON && bad.Code != CodeTooLarge && is != "" && is != version {
		bad = wrongVersion(is, version)
	}
	bad.JobID = id
	return bad
}

func wrongVersion(is, want string) *Invalid {
	return invalid(CodeUnsupportedVersion, "/schema", "must be %s, is %s", show(want), show(is))
}

// peek looks for the fields schema and id of a faulty document. It returns ""
// for one that is absent, repeated, not a string, or, as for id, not valid.
// It reads up to the first fault of syntax, in one pass without recursion.
func peek(data []byte) (version, id string) {
	r := reader{data: bytes.TrimPrefix(data, byteOrderMark())}
	found := map[string]int{}
	_ = r.members(func(name []byte) *Invalid {
		field := string(name)
		if (field != "schema" && field != "id") || !r.next('"') {
			return r.skip()
		}
		value, bad := r.text()
		if bad != nil {
			return bad
		}
		found[field]++
		if field == "id" {
			id = string(value)
		} else {
			version = string(value)
		}
		return nil
	})
	if found["schema"] > 1 {
		version = ""
	}
	if found["id"] > 1 || badText(id, 1, MaxID) != "" {
		id = ""
	}
	return version, id
}

// skip passes over one value of any kind and depth. It does not check what it
// passes over, except that strings end.
func (r *reader) skip() *Invalid {
	for depth := 0; ; {
		r.space()
		if r.pos == len(r.data) {
			return r.syntax("the document ends too early")
		}
		switch r.data[r.pos] {
		case '"':
			if _, bad := r.text(); bad != nil {
				return bad
			}
		case '{', '[':
			depth++
			r.pos++
		case '}', ']':
			depth--
			r.pos++
		case ',', ':':
			r.pos++
		default:
			r.skipWord()
		}
		if depth <= 0 {
			return nil
		}
	}
}

// skipWord passes over a number, true, false, null, or anything like them.
func (r *reader) skipWord() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\n', '\r', ',', ':', '"', '{', '}', '[', ']':
			return
		}
		r.pos++
	}
}
