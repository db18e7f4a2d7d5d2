package schema

import (
	"fmt"
	"strings"
)

// check reports the first fault of a result, or nil. Encode and DecodeResult
// share it.
func (r *Result) check() *Invalid {
	least := 1
	if r.Error != nil {
		least = 0 // the job's id could not be read
	}
	if wrong := badText(r.ID, least, MaxID); wrong != "" {
		return broken("/id", wrong)
	}
	if wrong := badText(r.KID, 0, MaxKID); wrong != "" {
		return broken("/kid", wrong)
	}
	if r.TraceID != "" && !isTraceID(r.TraceID) {
		return broken("/traceId", "must have 32 of 0-9 and a-f, and not zeros only")
	}
	if bad := checkLabels(CodeInternal, r.Labels); bad != nil {
		return bad
	}
	if part, wrong := r.Error.check(); wrong != "" {
		return broken(pointer("error", part), wrong)
	}
	if bad := r.checkItems(); bad != nil {
		return bad
	}
	return r.checkOutcome()
}

// isTraceID reports whether s is a trace id of W3C Trace Context (section
// 3.2.2.3).
func isTraceID(s string) bool {
	if len(s) != traceIDSize || s == strings.Repeat("0", traceIDSize) {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') }) < 0
}

// traceIDSize is the length of a trace id in hex digits.
const traceIDSize = 32

// broken is a fault of a result: the worker that made it has a defect.
func broken(field, wrong string) *Invalid { return invalid(CodeInternal, field, "%s", wrong) }

func (r *Result) checkItems() *Invalid {
	seen := make(map[string]struct{}, len(r.Items))
	for i := range r.Items {
		item := &r.Items[i]
		if wrong := badText(item.ID, 1, MaxID); wrong != "" {
			return broken(pointer("items", i, "id"), wrong)
		}
		if _, twice := seen[item.ID]; twice {
			return broken(pointer("items", i, "id"), "must be unique in the result; "+show(item.ID)+" is not")
		}
		seen[item.ID] = struct{}{}
		if part, wrong := item.check(); wrong != "" {
			return broken(pointer("items", i)+part, wrong)
		}
	}
	return nil
}

// checkOutcome checks that the parts of r tell the same story.
func (r *Result) checkOutcome() *Invalid {
	if r.Error == nil && len(r.Items) == 0 {
		return broken("/items", "must hold an item when there is no error")
	}
	if r.Error != nil && len(r.Items) > 0 {
		return broken("/items", "must be empty when there is an error")
	}
	if want := StatusOf(r.Items); r.Status != want {
		return broken("/status", "must be "+show(string(want))+" with these items, is "+show(string(r.Status)))
	}
	if r.Status != Failed && r.KID == "" {
		return broken("/kid", "must name the key when an item was done")
	}
	return nil
}

// StatusOf sums up the outcomes of items. An item without an error was done,
// whatever its outcome says. It is Failed when there are no items.
func StatusOf(items []ItemResult) Status {
	done := 0
	for i := range items {
		if items[i].Error == nil {
			done++
		}
	}
	switch done {
	case 0:
		return Failed
	case len(items):
		return Succeeded
	}
	return Partial
}

// check returns the part of e that is at fault and what is wrong with it. It
// accepts codes that this version does not know, so that a newer worker may
// use them.
func (e *Error) check() (part, wrong string) {
	if e == nil {
		return "", ""
	}
	if !e.Code.wellFormed() {
		return "code", fmt.Sprintf("must have 1 to %d of a-z, 0-9 and _, and begin with a letter; is %s", MaxCode, show(string(e.Code)))
	}
	if n := len(e.Message); n > MaxMessage {
		return "message", fmt.Sprintf("must have at most %d bytes, has %d", MaxMessage, n)
	}
	return "message", badText(e.Message, 0, MaxMessage)
}

func (c Code) wellFormed() bool {
	if c == "" || len(c) > MaxCode || c[0] < 'a' || c[0] > 'z' {
		return false
	}
	for _, r := range c {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' {
			return false
		}
	}
	return true
}
