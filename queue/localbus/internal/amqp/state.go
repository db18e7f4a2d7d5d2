package amqp

// Codes of delivery states (part 3, section 3.4).
const (
	CodeReceived byte = 0x23
	CodeAccepted byte = 0x24
	CodeRejected byte = 0x25
	CodeReleased byte = 0x26
	CodeModified byte = 0x27
)

// State is a delivery state; the zero value is none.
type State struct {
	Code              byte
	Error             *Error // rejected
	DeliveryFailed    bool   // modified
	UndeliverableHere bool   // modified
	Annotations       Map    // modified
}

func decodeNestedState(f *Fields) State {
	code, in := f.nested()
	s := State{Code: code}
	switch code {
	case CodeRejected:
		s.Error = decodeNestedError(&in)
	case CodeModified:
		s.DeliveryFailed = in.bool()
		s.UndeliverableHere = in.bool()
		s.Annotations = in.mapping()
	}
	f.join(in)
	return s
}

func (s *State) append(b []byte) []byte {
	c := openComposite(b, s.Code)
	switch s.Code {
	case CodeReceived:
		c.uint(0)
		c.ulong(0)
	case CodeRejected:
		c.failure(s.Error)
	case CodeModified:
		c.flag(s.DeliveryFailed)
		c.flag(s.UndeliverableHere)
		c.value(s.Annotations)
	}
	return c.end()
}

// Error is an AMQP error (part 2, section 2.8.14).
type Error struct {
	Condition   Symbol
	Description string
	Info        Map
}

// Error returns the condition and the description.
func (e *Error) Error() string { return string(e.Condition) + ": " + e.Description }

func decodeNestedError(f *Fields) *Error {
	code, in := f.nested()
	if code == 0 {
		return nil
	}
	if code != codeError && f.err == nil {
		f.err = malformed("error expected, descriptor 0x%02x", code)
	}
	e := &Error{Condition: Symbol(in.string()), Description: in.string(), Info: in.mapping()}
	f.join(in)
	return e
}

// append writes all three fields, null or not: some clients index them.
func (e *Error) append(b []byte) []byte {
	c := openComposite(b, codeError)
	c.symbol(e.Condition)
	if e.Description == "" {
		c.null()
	} else {
		c.string(e.Description)
	}
	c.value(e.Info)
	c.keepNulls()
	return c.end()
}
