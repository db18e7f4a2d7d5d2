package amqp

// Codes of message sections (part 3, section 3.2).
const (
	sectionHeader                byte = 0x70
	sectionDeliveryAnnotations   byte = 0x71
	sectionMessageAnnotations    byte = 0x72
	sectionProperties            byte = 0x73
	sectionApplicationProperties byte = 0x74
	sectionData                  byte = 0x75
	sectionSequence              byte = 0x76
	sectionValue                 byte = 0x77
	sectionFooter                byte = 0x78
)

// Sections refers to the parts of an encoded message. Each but Bare and Body
// is the section's value without its descriptor, nil if absent.
type Sections struct {
	Header                []byte
	DeliveryAnnotations   []byte
	MessageAnnotations    []byte
	Properties            []byte
	ApplicationProperties []byte
	Body                  []byte // all body sections and the footer, with descriptors
	Bare                  []byte // from the properties to the end
}

// ParseMessage checks a message in depth and finds its sections. They stand in
// the order of the standard; but delivery annotations are taken at the very end,
// too, where some clients put them.
func ParseMessage(b []byte) (Sections, error) {
	var s Sections
	last := byte(0)
	for len(b) > 0 {
		code, v, rest, err := section(b)
		if err != nil {
			return s, err
		}
		if code == sectionDeliveryAnnotations && last > sectionMessageAnnotations && len(rest) == 0 && s.DeliveryAnnotations == nil {
			s.cut(len(b))
			s.DeliveryAnnotations = v
			return s, nil
		}
		if code < last || code == last && code != sectionData && code != sectionSequence {
			return s, malformed("section 0x%02x after 0x%02x", code, last)
		}
		last = code
		s.put(code, v, b)
		b = rest
	}
	return s, nil
}

// cut takes n bytes off the end of the bare message.
func (s *Sections) cut(n int) {
	s.Bare = s.Bare[: len(s.Bare)-n : len(s.Bare)-n]
	if s.Body != nil {
		s.Body = s.Body[: len(s.Body)-n : len(s.Body)-n]
	}
}

// section cuts the first section off b and returns its value.
func section(b []byte) (code byte, v, rest []byte, err error) {
	d := newDecoder(b)
	if code, err = d.descriptor(); err != nil {
		return 0, nil, nil, err
	}
	if code < sectionHeader || code > sectionFooter {
		return 0, nil, nil, malformed("message section 0x%x", code)
	}
	v, rest, err = Skip(d.b)
	if err == nil && !shaped(code, v[0]) {
		err = malformed("section 0x%02x with constructor 0x%02x", code, v[0])
	}
	return code, v, rest, err
}

// shaped reports whether a section's value has the right constructor.
func shaped(section, code byte) bool {
	switch section {
	case sectionHeader, sectionProperties, sectionSequence:
		return code == codeList0 || code == codeList8 || code == codeList32
	case sectionData:
		return code == codeBin8 || code == codeBin32
	case sectionValue:
		return true
	}
	return code == codeMap8 || code == codeMap32
}

// put notes a section; from starts with its descriptor.
func (s *Sections) put(code byte, v, from []byte) {
	switch code {
	case sectionHeader:
		s.Header = v
		return
	case sectionDeliveryAnnotations:
		s.DeliveryAnnotations = v
		return
	case sectionMessageAnnotations:
		s.MessageAnnotations = v
		return
	}
	if s.Bare == nil {
		s.Bare = from
	}
	switch code {
	case sectionProperties:
		s.Properties = v
	case sectionApplicationProperties:
		s.ApplicationProperties = v
	default:
		if s.Body == nil {
			s.Body = from
		}
	}
}

// Value returns the value of an amqp-value body, nil if the body is another.
func (s *Sections) Value() (any, error) {
	if len(s.Body) == 0 {
		return nil, nil
	}
	code, v, _, err := section(s.Body)
	if err != nil || code != sectionValue {
		return nil, err
	}
	value, _, err := Decode(v)
	return value, err
}

// EachData calls visit with the content of each data section until it returns
// an error.
func (s *Sections) EachData(visit func([]byte) error) error {
	for b := s.Body; len(b) > 0; {
		code, v, rest, err := section(b)
		if err != nil {
			return err
		}
		if code == sectionData {
			d := newDecoder(v)
			f := Fields{d: d, left: 1}
			if err := visit(f.bytes()); err != nil {
				return err
			}
		}
		b = rest
	}
	return nil
}

// Header is the header of a message (part 3, section 3.2.1).
type Header struct {
	Durable       bool
	Priority      Opt[uint8]
	TTL           Opt[uint32] // milliseconds
	FirstAcquirer bool
	DeliveryCount uint32
}

// DecodeHeader reads a header section; nil is an empty one.
func DecodeHeader(b []byte) (Header, error) {
	f, err := listFields(b)
	if err != nil {
		return Header{}, err
	}
	h := Header{Durable: f.bool(), Priority: f.ubyte(), TTL: f.uint(), FirstAcquirer: f.bool(), DeliveryCount: f.uint().Value}
	return h, f.err
}

// Append writes the section, with the delivery count also when it is zero.
func (h Header) Append(b []byte) []byte {
	c := openComposite(b, sectionHeader)
	c.flag(h.Durable)
	c.ubyte(h.Priority)
	c.optUint(h.TTL)
	c.flag(h.FirstAcquirer)
	c.uint(h.DeliveryCount)
	return c.end()
}

// listFields opens a plain list; nil is an empty one.
func listFields(b []byte) (Fields, error) {
	if len(b) == 0 || b[0] == codeList0 {
		return Fields{}, nil
	}
	d := newDecoder(b)
	code, err := d.constructor()
	if err != nil {
		return Fields{}, err
	}
	p, err := d.payload(code)
	if err != nil {
		return Fields{}, err
	}
	if code != codeList8 && code != codeList32 {
		return Fields{}, malformed("list expected, constructor 0x%02x", code)
	}
	in, count, err := d.inside(code, p)
	return Fields{d: in, left: count}, err
}
