package schema

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Invalid says why a document was refused. It is the only error type of this
// package. Its texts hold no control characters, are at most MaxMessage bytes
// long, and never hold an item's digest or data.
type Invalid struct {
	// Code is CodeNotJSON, CodeUnsupportedVersion, CodeInvalidJob or
	// CodeTooLarge. A result that breaks the contract is CodeInternal: the
	// worker that made it has a defect.
	Code Code

	Field   string // JSON pointer (RFC 6901) to the fault; "" is the whole document
	Message string // the field, the limit and the value, for people
	JobID   string // the document's id; "" when it could not be read
}

// Error returns the code and the message.
func (e *Invalid) Error() string { return string(e.Code) + ": " + e.Message }

// Result returns the answer to a job that could not be decoded: failed, with
// an error of its own and no items. Send it under RefusedID.
func (e *Invalid) Result() Result {
	return Result{
		ID:     e.JobID,
		Status: Failed,
		Error:  &Error{Code: e.Code, Message: e.Message},
	}
}

// invalid returns the fault of one field. The message begins with the field.
func invalid(code Code, field, format string, args ...any) *Invalid {
	text := fmt.Sprintf(format, args...)
	if field != "" {
		text = field + ": " + text
	}
	return &Invalid{Code: code, Field: field, Message: clean(text)}
}

// pointer joins names and indices to a JSON pointer.
func pointer(steps ...any) string {
	var b strings.Builder
	for _, step := range steps {
		b.WriteByte('/')
		switch s := step.(type) {
		case int:
			b.WriteString(strconv.Itoa(s))
		case string:
			b.WriteString(escapeStep(s))
		}
	}
	return b.String()
}

// escapeStep writes a name as RFC 6901, section 3 asks, short and printable.
// A name that had to be cut or cleaned no longer matches the document's.
func escapeStep(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(clean(short(name, MaxLabelName)))
}

// show quotes a value for a message and cuts it short.
func show(value string) string { return strconv.Quote(short(value, 40)) }

// short cuts s to at most n characters and marks the cut.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i] + "…"
		}
		n--
	}
	return s
}

// clean makes s fit for a message: valid UTF-8, one line, at most MaxMessage
// bytes, and without the characters that could forge a line of a log.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if !plain(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= MaxMessage {
		return s
	}
	cut := MaxMessage - len("…")
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// plain reports whether r may stand in an id, a label or a message. Control
// characters (category Cc) and the two Unicode line separators may not.
func plain(r rune) bool {
	return !unicode.IsControl(r) && r != '\u2028' && r != '\u2029'
}
