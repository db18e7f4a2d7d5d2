package schema

import (
	"slices"
	"sort"
)

// Encode returns r as a document of at most maxBytes, or of at most
// DefaultMaxResultBytes when maxBytes is below 1. Where that is too little, it
// cuts the messages of the errors, all to one length; at least 64 bytes of
// each remain for a job that was accepted with the same limit. It never cuts
// anything else. Control characters in messages become spaces, and a JWK loses
// its white space.
//
// It returns an [*Invalid] with CodeInternal for a result that breaks the
// contract, and with CodeTooLarge for one that does not fit even with empty
// messages; the latter cannot happen for a job that was accepted. The slice
// and errors of r stay as they are.
func (r Result) Encode(maxBytes int) ([]byte, error) {
	fill(&maxBytes, DefaultMaxResultBytes)
	r = r.cleaned()
	if bad := r.check(); bad != nil {
		bad.JobID = r.ID
		return nil, bad
	}
	doc := r.append(make([]byte, 0, 512+256*len(r.Items)), longest)
	if len(doc) <= maxBytes {
		return doc, nil
	}
	lengths := r.messageLengths()
	bare := len(doc) - total(lengths, longest)
	if bare > maxBytes {
		bad := invalid(CodeTooLarge, "", "the result must have at most %d bytes, has %d with all messages left out", maxBytes, bare)
		bad.JobID = r.ID
		return nil, bad
	}
	limit := sort.Search(longest, func(n int) bool { return bare+total(lengths, n+1) > maxBytes })
	return r.append(doc[:0], limit), nil
}

// longest is the length of the longest message with all of it escaped.
const longest = 2 * MaxMessage

// messageLengths returns what each message takes as JSON, without the quotes.
func (r *Result) messageLengths() []int {
	var lengths []int
	if r.Error != nil {
		lengths = append(lengths, quotedLen(r.Error.Message)-2)
	}
	for i := range r.Items {
		if e := r.Items[i].Error; e != nil {
			lengths = append(lengths, quotedLen(e.Message)-2)
		}
	}
	return lengths
}

// total adds up lengths, each cut to limit.
func total(lengths []int, limit int) int {
	sum := 0
	for _, n := range lengths {
		sum += min(n, limit)
	}
	return sum
}

// cleaned returns r with its messages and JWKs fit to be written.
func (r Result) cleaned() Result {
	r.Error = r.Error.cleaned()
	r.Items = slices.Clone(r.Items)
	for i := range r.Items {
		r.Items[i].Error = r.Items[i].Error.cleaned()
		r.Items[i].PublicKey = r.Items[i].PublicKey.compact()
	}
	return r
}

func (e *Error) cleaned() *Error {
	if e == nil {
		return nil
	}
	out := *e
	out.Message = clean(e.Message)
	return &out
}

// append writes a valid result, with messages of at most limit bytes.
func (r *Result) append(dst []byte, limit int) []byte {
	dst = append(dst, `{"schema":"`+ResultVersion+`","id":`...)
	dst = appendQuoted(dst, r.ID)
	dst = append(dst, `,"status":"`+r.Status+`"`...)
	if r.KID != "" {
		dst = append(dst, `,"kid":`...)
		dst = appendQuoted(dst, r.KID)
	}
	if r.TraceID != "" {
		dst = append(dst, `,"traceId":"`+r.TraceID+`"`...)
	}
	if len(r.Labels) > 0 {
		dst = append(dst, `,"labels":`...)
		dst = appendLabels(dst, r.Labels)
	}
	if r.Error != nil {
		dst = append(dst, ',')
		dst = r.Error.append(dst, limit)
	}
	dst = append(dst, `,"items":[`...)
	for i := range r.Items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.Items[i].append(dst, limit)
	}
	return append(dst, `]}`...)
}

func (e *Error) append(dst []byte, limit int) []byte {
	dst = append(dst, `"error":{"code":"`+e.Code+`","message":`...)
	dst = appendQuoted(dst, cutQuoted(e.Message, limit))
	if e.Retryable {
		return append(dst, `,"retryable":true}`...)
	}
	return append(dst, `,"retryable":false}`...)
}
