package amqp

// Settlement modes (part 2, sections 2.8.2 and 2.8.3).
const (
	SenderUnsettled uint8 = 0
	SenderSettled   uint8 = 1
	SenderMixed     uint8 = 2

	ReceiverFirst  uint8 = 0
	ReceiverSecond uint8 = 1
)

// Attach joins a link to a session (part 2, section 2.7.3).
type Attach struct {
	Name                 string
	Handle               uint32
	Receiver             bool // role of the one who writes the frame
	SenderSettleMode     Opt[uint8]
	ReceiverSettleMode   Opt[uint8]
	Source               *Terminus
	Target               *Terminus
	InitialDeliveryCount Opt[uint32]
	MaxMessageSize       uint64 // zero: no limit
	Properties           Map
}

// DecodeAttach reads an attach.
func DecodeAttach(f Fields) (Attach, error) {
	a := Attach{
		Name:               f.string(),
		Handle:             f.uint().Value,
		Receiver:           f.bool(),
		SenderSettleMode:   f.ubyte(),
		ReceiverSettleMode: f.ubyte(),
		Source:             decodeTerminus(&f),
		Target:             decodeTerminus(&f),
	}
	f.skip() // unsettled
	f.skip() // incomplete-unsettled
	a.InitialDeliveryCount = f.uint()
	a.MaxMessageSize = f.ulong()
	f.skip() // offered-capabilities
	f.skip() // desired-capabilities
	a.Properties = f.mapping()
	return a, f.err
}

// Append writes the frame.
func (a Attach) Append(b []byte, channel uint16) []byte {
	f := openFrame(b, channel, CodeAttach)
	f.string(a.Name)
	f.uint(a.Handle)
	f.bool(a.Receiver)
	f.ubyte(a.SenderSettleMode)
	f.ubyte(a.ReceiverSettleMode)
	f.terminus(a.Source)
	f.terminus(a.Target)
	f.null()
	f.null()
	f.optUint(a.InitialDeliveryCount)
	if a.MaxMessageSize == 0 {
		f.null()
	} else {
		f.ulong(a.MaxMessageSize)
	}
	f.null()
	f.null()
	f.value(a.Properties)
	return f.finish()
}

// Codes of a [Terminus].
const (
	CodeSource      byte = 0x28
	CodeTarget      byte = 0x29
	CodeCoordinator byte = 0x30
)

// Places of fields in a source; target shares the first and the fifth.
const (
	fieldAddress = 0
	fieldDynamic = 4
	fieldFilter  = 7
)

// Terminus is a source or a target, kept with all of its fields.
type Terminus struct {
	Code   byte
	Fields []any
}

// NewTerminus returns a source or target with an address.
func NewTerminus(code byte, address string) *Terminus {
	return &Terminus{Code: code, Fields: []any{address}}
}

func (t *Terminus) field(i int) any {
	if t == nil || i >= len(t.Fields) {
		return nil
	}
	return t.Fields[i]
}

// Address returns the address, "" if there is none.
func (t *Terminus) Address() string { return Text(t.field(fieldAddress)) }

// Dynamic reports whether the peer wants an address to be made up.
func (t *Terminus) Dynamic() bool {
	v, _ := t.field(fieldDynamic).(bool)
	return v
}

// Filter returns the filters of a source.
func (t *Terminus) Filter() Map {
	m, _ := t.field(fieldFilter).(Map)
	return m
}

// WithFilter returns a copy of a source with other filters.
func (t *Terminus) WithFilter(m Map) *Terminus {
	c := &Terminus{Code: t.Code, Fields: make([]any, max(len(t.Fields), fieldFilter+1))}
	copy(c.Fields, t.Fields)
	c.Fields[fieldFilter] = m
	return c
}

func decodeTerminus(f *Fields) *Terminus {
	code, in := f.nested()
	if code == 0 {
		return nil
	}
	t := &Terminus{Code: code}
	for in.left > 0 && in.err == nil {
		t.Fields = append(t.Fields, in.value())
	}
	f.join(in)
	return t
}

func (c *composite) terminus(t *Terminus) {
	if t == nil {
		c.null()
		return
	}
	c.next()
	in := openComposite(c.b, t.Code)
	for _, v := range t.Fields {
		in.value(v)
	}
	c.b = in.end()
}

// Detach ends a link, or takes it off its session (part 2, section 2.7.7).
type Detach struct {
	Handle uint32
	Closed bool
	Error  *Error
}

// DecodeDetach reads a detach.
func DecodeDetach(f Fields) (Detach, error) {
	d := Detach{Handle: f.uint().Value, Closed: f.bool()}
	d.Error = decodeNestedError(&f)
	return d, f.err
}

// Append writes the frame.
func (d Detach) Append(b []byte, channel uint16) []byte {
	f := openFrame(b, channel, CodeDetach)
	f.uint(d.Handle)
	f.flag(d.Closed)
	f.failure(d.Error)
	return f.finish()
}
