package schema

import (
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// Encode returns j as the document that Decode reads. It refuses what Decode
// would refuse, with the same [*Invalid]. For sign and verify, an empty Format
// means JOSE.
func (j Job) Encode(limits Limits) ([]byte, error) {
	limits = limits.filled()
	j.fill()
	bad := j.check(limits)
	var doc []byte
	if bad == nil {
		if doc = j.append(nil); len(doc) > limits.MaxBytes {
			bad = tooManyBytes(len(doc), limits)
		}
	}
	if bad != nil {
		if badText(j.ID, 1, MaxID) == "" {
			bad.JobID = j.ID
		}
		return nil, bad
	}
	return doc, nil
}

// fill puts in place what a job may leave out.
func (j *Job) fill() {
	if j.Format == "" && j.Operation.signatures() {
		j.Format = JOSE
	}
}

// append writes a valid job.
func (j *Job) append(dst []byte) []byte {
	dst = append(dst, `{"schema":"`+JobVersion+`","id":`...)
	dst = appendQuoted(dst, j.ID)
	dst = append(dst, `,"operation":"`+j.Operation+`","key":"`...)
	dst = append(dst, j.Key+`"`...)
	if j.Algorithm != "" {
		dst = append(dst, `,"algorithm":"`+j.Algorithm+`"`...)
	}
	if j.Format == DER {
		dst = append(dst, `,"signatureFormat":"`+j.Format+`"`...)
	}
	if !j.NotAfter.IsZero() {
		dst = append(dst, `,"notAfter":"`...)
		dst = j.NotAfter.UTC().AppendFormat(dst, time.RFC3339Nano)
		dst = append(dst, '"')
	}
	if len(j.Labels) > 0 {
		dst = append(dst, `,"labels":`...)
		dst = appendLabels(dst, j.Labels)
	}
	dst = append(dst, `,"items":[`...)
	for i := range j.Items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = j.Items[i].append(dst)
	}
	return append(dst, `]}`...)
}

func (i *Item) append(dst []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendQuoted(dst, i.ID)
	for p := range parts {
		if bytes := *i.part(p); len(bytes) > 0 {
			dst = append(dst, ',')
			dst = appendBinary(dst, p.String(), bytes)
		}
	}
	return append(dst, '}')
}

// appendBinary writes a field with a binary value.
func appendBinary(dst []byte, name string, bytes []byte) []byte {
	dst = append(dst, `"`+name+`":"`...)
	dst = base64url.AppendEncode(dst, bytes)
	return append(dst, '"')
}

// appendLabels writes labels as an object, sorted by name; nothing when there
// are none.
func appendLabels(dst []byte, labels map[string]string) []byte {
	if len(labels) == 0 {
		return dst
	}
	for i, name := range slices.Sorted(maps.Keys(labels)) {
		dst = append(dst, "{,"[min(i, 1)])
		dst = appendQuoted(dst, name)
		dst = append(dst, ':')
		dst = appendQuoted(dst, labels[name])
	}
	return append(dst, '}')
}

// appendQuoted writes a text that badText or clean has passed. There is
// nothing to escape in it but quotes and backslashes.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}

// quotedLen returns how many bytes appendQuoted writes.
func quotedLen(s string) int {
	n := len(s) + 2
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			n++
		}
	}
	return n
}

// cutQuoted shortens s so that appendQuoted writes at most n bytes, quotes not
// counted. A cut is marked where there is room.
func cutQuoted(s string, n int) string {
	if quotedLen(s)-2 <= n {
		return s
	}
	mark := "…"
	if n < minMessage {
		mark = ""
	}
	room := n - len(mark)
	for i, c := range s {
		room -= utf8.RuneLen(c)
		if c == '"' || c == '\\' {
			room--
		}
		if room < 0 {
			return s[:i] + mark
		}
	}
	return s
}
