package schema

import "slices"

// Decode reads the job that a message carries. It returns a valid job, or an
// [*Invalid] that says what is wrong and, where it can be read, the job's id.
// It reads data once, keeps no reference to it, and allocates no more than a
// small multiple of its length. NotAfter comes back in UTC.
func Decode(data []byte, limits Limits) (Job, error) {
	limits = limits.filled()
	job, bad := decodeJob(data, limits)
	if bad != nil {
		return Job{}, identified(bad, data[:min(len(data), limits.MaxBytes)], JobVersion)
	}
	return job, nil
}

// jobFields are the fields of a job: five that it must have, then the others.
func jobFields() ([]string, int) {
	return []string{"schema", "id", "operation", "key", "items", "algorithm", "signatureFormat", "notAfter", "labels"}, 5
}

// draft is a job as its document has it. The operation and the algorithm may
// come after the items, so binary values wait as text.
type draft struct {
	job     Job
	version string
	items   []entry
	values  []value // of all items, one after the other
	arena   []byte  // the bytes of all items, in one piece of memory
}

// entry is an item of a draft. It has the values from the end of the entry
// before it.
type entry struct {
	id  []byte
	end int
}

func decodeJob(data []byte, limits Limits) (Job, *Invalid) {
	if len(data) > limits.MaxBytes {
		return Job{}, tooManyBytes(len(data), limits)
	}
	r := &reader{data: data, code: CodeInvalidJob}
	var d draft
	if bad := r.job(&d, limits); bad != nil {
		return Job{}, bad
	}
	if d.version != JobVersion {
		return Job{}, wrongVersion(d.version, JobVersion)
	}
	d.job.fill()
	if bad := d.job.checkHead(limits); bad != nil {
		return Job{}, bad // items can only be decoded for a known operation and algorithm
	}
	if bad := d.finish(); bad != nil {
		return Job{}, bad
	}
	if bad := d.job.check(limits); bad != nil {
		return Job{}, bad
	}
	return d.job, nil
}

// job reads a whole document into d.
func (r *reader) job(d *draft, limits Limits) *Invalid {
	if bad := r.open(); bad != nil {
		return bad
	}
	fields, required := jobFields()
	bad := r.object(fields, required, func(field string) (bad *Invalid) {
		switch field {
		case "labels":
			d.job.Labels, bad = r.labels()
			return bad
		case "items":
			return r.items(d, limits)
		}
		text, bad := r.text()
		if bad != nil {
			return bad
		}
		return r.head(d, field, string(text))
	})
	if bad != nil {
		return bad
	}
	return r.end()
}

// head stores a field of the job that is text.
func (r *reader) head(d *draft, field, text string) *Invalid {
	switch field {
	case "schema":
		d.version = text
	case "id":
		d.job.ID = text
	case "operation":
		d.job.Operation = Operation(text)
	case "key":
		d.job.Key = text
	case "algorithm":
		d.job.Algorithm = Algorithm(text)
		return r.notEmpty(text)
	case "signatureFormat":
		d.job.Format = SignatureFormat(text)
		return r.notEmpty(text)
	case "notAfter":
		return r.notAfter(&d.job, text)
	}
	return nil
}

// notEmpty refuses an empty text where no text means something else.
func (r *reader) notEmpty(text string) *Invalid {
	if text == "" {
		return r.fault("must not be empty; leave it out instead")
	}
	return nil
}

// labels reads an object of strings. It stops at the first label too many.
func (r *reader) labels() (map[string]string, *Invalid) {
	labels := map[string]string{}
	bad := r.members(func(raw []byte) *Invalid {
		if len(labels) == MaxLabels {
			return r.fault("must hold at most %d labels, holds more", MaxLabels)
		}
		name := string(raw)
		return r.at(step{name: name}, func() *Invalid {
			if _, twice := labels[name]; twice {
				return r.fault("stands more than once")
			}
			value, bad := r.text()
			labels[name] = string(value)
			return bad
		})
	})
	if len(labels) == 0 {
		return nil, bad
	}
	return labels, bad
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
	start := 0
	for i, e := range d.items {
		item := &d.job.Items[i]
		item.ID = string(e.id)
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
		}
	case v.part == digestPart:
		d.arena, wrong = appendDigest(d.arena, v.text)
	default:
		d.arena, wrong = appendDecoded(d.arena, v.text)
	}
	*to = d.arena[start:len(d.arena):len(d.arena)]
	return scratch, wrong
}
