package schema

import (
	"slices"
	"strings"
)

// entry is an item of a draft. It has the values from the end of the entry
// before it.
type entry struct {
	id  []byte
	end int
}

// items reads the list of items. It stops at the first item too many.
func (r *reader) items(d *draft, limits Limits) *Invalid {
	fields := itemFields()
	start := r.pos
	return r.elements(func(i int) *Invalid {
		switch i {
		case limits.MaxItems:
			return tooManyItems(i+1, limits)
		case 1:
			d.reserve(min(len(r.data[start:])/(r.pos-start), limits.MaxItems))
		}
		return r.item(d, fields)
	})
}

// reserve makes room for n items like the first, so that a long list is not
// copied as it grows.
func (d *draft) reserve(n int) {
	d.items = slices.Grow(d.items, n)
	d.values = slices.Grow(d.values, n*len(d.values))
}

// item reads one item.
func (r *reader) item(d *draft, fields []string) *Invalid {
	var e entry
	digests := 0
	bad := r.object(fields, 1, func(field string) *Invalid {
		text, bad := r.text()
		if field == "id" {
			e.id = text
			return bad
		}
		v := valueOf(field, text)
		if d.values = append(d.values, v); v.part == digestPart {
			digests++
		}
		return bad
	})
	if bad == nil && digests > 1 {
		return r.fault(wantDigest)
	}
	e.end = len(d.values)
	d.items = append(d.items, e)
	return bad
}

const wantDigest = "must have exactly one of digest and data"

// finish turns the items' texts into bytes.
func (d *draft) finish() *Invalid {
	rules := d.job.sizes()
	d.arena = make([]byte, 0, d.room(&rules))
	d.job.Items = make([]Item, len(d.items))
	var scratch []byte
	ids, start := d.ids(), 0
	for i, e := range d.items {
		item := &d.job.Items[i]
		item.ID, ids = ids[:len(e.id)], ids[len(e.id):]
		for _, v := range d.values[start:e.end] {
			wrong := ""
			if scratch, wrong = d.put(item, &v, &rules, scratch); wrong != "" {
				return invalid(CodeInvalidJob, pointer("items", i, v.field()), "%s", wrong)
			}
		}
		start = e.end
		if rules[digestPart].least > 0 && item.Digest == nil {
			return invalid(CodeInvalidJob, pointer("items", i), wantDigest)
		}
	}
	return nil
}

// ids returns the ids of all items, one after the other, in one piece of memory.
func (d *draft) ids() string {
	n := 0
	for i := range d.items {
		n += len(d.items[i].id)
	}
	var all strings.Builder
	all.Grow(n)
	for i := range d.items {
		all.Write(d.items[i].id)
	}
	return all.String()
}

// room returns how many bytes the items need at most.
func (d *draft) room(rules *sizes) int {
	n := 0
	for i := range d.values {
		if v := &d.values[i]; v.data {
			n += rules[digestPart].most
		} else {
			n += base64url.DecodedLen(len(v.text))
		}
	}
	return n
}

// put stores the bytes of v in item, or says what is wrong with its text. The
// length is left to the check of the whole job. It returns scratch for the
// next value.
func (d *draft) put(item *Item, v *value, rules *sizes, scratch []byte) (_ []byte, wrong string) {
	to := item.part(v.part)
	rule := &rules[v.part]
	switch {
	case rule.most == 0:
		return scratch, rule.wrong(1, &d.job)
	case len(v.text) == 0 && rule.least == 0:
		return scratch, "must not be empty; leave it out instead"
	case len(v.text) == 0:
		return scratch, "must not be empty"
	}
	start := len(d.arena)
	switch {
	case v.data:
		if scratch, wrong = appendDecoded(scratch[:0], v.text); wrong == "" {
			d.arena = appendHash(d.arena, d.job.Algorithm, scratch)
			item.FromData = true
		}
	case v.part == digestPart:
		d.arena, wrong = appendDigest(d.arena, v.text)
	default:
		d.arena, wrong = appendDecoded(d.arena, v.text)
	}
	*to = d.arena[start:len(d.arena):len(d.arena)]
	return scratch, wrong
}
