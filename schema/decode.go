package schema

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
