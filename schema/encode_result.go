package schema

import "slices"

// Encode returns r as a document of at most maxBytes, or of at most
// DefaultMaxResultBytes when maxBytes is below 1. Where that is too little, it
// cuts the messages of the errors, all to one length; at least 64 bytes of
// each remain for a job that was accepted with the same limit. It never cuts
// anything else. Control characters in messages become spaces.
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
	doc := r.append(make([]byte, 0, 4096), MaxMessage*2)
	if len(doc) <= maxBytes {
		return doc, nil
	}
	limit, ok := r.messageLimit(maxBytes)
	if !ok {
		bad := invalid(CodeTooLarge, "", "the result must have at most %d bytes, has %d with all messages left out", maxBytes, r.size(0))
		bad.JobID = r.ID
		return nil, bad
	}
	return r.append(doc[:0], limit), nil
}

// cleaned returns r with its messages fit to be written.
func (r Result) cleaned() Result {
	r.Error = r.Error.cleaned()
	r.Items = slices.Clone(r.Items)
	for i := range r.Items {
		r.Items[i].Error = r.Items[i].Error.cleaned()
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

// messageLimit returns the largest length of messages with which r fits into
// maxBytes, or false when there is none.
func (r *Result) messageLimit(maxBytes int) (int, bool) {
	low, high := -1, MaxMessage*2 // low fits, or is -1; high does not
	for high-low > 1 {
		mid := (low + high) / 2
		if r.size(mid) <= maxBytes {
			low = mid
		} else {
			high = mid
		}
	}
	return low, low >= 0
}

// size returns at least as many bytes as r takes with messages of at most
// limit bytes.
func (r *Result) size(limit int) int {
	bare := *r
	saved := 0
	for i := range r.Items {
		if e := r.Items[i].Error; e != nil {
			saved += min(limit, quotedLen(e.Message)-2)
		}
	}
	if r.Error != nil {
		saved += min(limit, quotedLen(r.Error.Message)-2)
	}
	return len(bare.append(nil, 0)) + saved
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

func (i *ItemResult) append(dst []byte, limit int) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendQuoted(dst, i.ID)
	dst = append(dst, ',')
	if i.Error != nil {
		dst = i.Error.append(dst, limit)
	} else {
		dst = append(dst, `"signature":"`...)
		dst = base64url.AppendEncode(dst, i.Signature)
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

func (e *Error) append(dst []byte, limit int) []byte {
	dst = append(dst, `"error":{"code":"`+e.Code+`","message":`...)
	dst = appendQuoted(dst, cutQuoted(e.Message, limit))
	if e.Retryable {
		return append(dst, `,"retryable":true}`...)
	}
	return append(dst, `,"retryable":false}`...)
}
