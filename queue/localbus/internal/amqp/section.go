package amqp

import (
	"strconv"
	"time"
)

// Properties are the fields of a properties section that a broker reads
// (part 3, section 3.2.4).
type Properties struct {
	MessageID any // nil, string, uint64, UUID or []byte
	ReplyTo   string
	GroupID   Opt[string]
}

// DecodeProperties reads a properties section; nil is an empty one.
func DecodeProperties(b []byte) (Properties, error) {
	f, err := listFields(b)
	if err != nil {
		return Properties{}, err
	}
	p := Properties{MessageID: f.value()}
	for range 3 { // user-id, to, subject
		f.skip()
	}
	p.ReplyTo = f.string()
	for range 5 { // correlation-id, content-type, content-encoding, two times
		f.skip()
	}
	p.GroupID.Set = f.left > 0 && len(f.d.b) > 0 && f.d.b[0] != codeNull
	p.GroupID.Value = f.string()
	return p, f.err
}

// IDText returns a message id as text: numbers in decimal, a UUID in its
// usual form, bytes as they are.
func IDText(id any) string {
	switch id := id.(type) {
	case string:
		return id
	case uint64:
		return strconv.FormatUint(id, 10)
	case UUID:
		return id.String()
	case []byte:
		return string(id)
	}
	return ""
}

// String returns the UUID in its usual form.
func (u UUID) String() string {
	const digits = "0123456789abcdef"
	b := make([]byte, 0, 36)
	for i, v := range u {
		switch i {
		case 4, 6, 8, 10:
			b = append(b, '-')
		}
		b = append(b, digits[v>>4], digits[v&15])
	}
	return string(b)
}

// EachEntry calls visit with each entry of an encoded map: the key's text
// ("" if it is neither string nor symbol) and both encoded values.
func EachEntry(b []byte, visit func(key string, k, v Raw)) error {
	if len(b) == 0 {
		return nil
	}
	d := newDecoder(b)
	code, err := d.constructor()
	if err != nil {
		return err
	}
	p, err := d.payload(code)
	if err != nil {
		return err
	}
	if code != codeMap8 && code != codeMap32 {
		return malformed("map expected, constructor 0x%02x", code)
	}
	in, count, err := d.inside(code, p)
	if err != nil {
		return err
	}
	for range count / 2 {
		k, rest, err := Skip(in.b)
		if err != nil {
			return err
		}
		v, rest, err := Skip(rest)
		if err != nil {
			return err
		}
		in.b = rest
		visit(keyText(k), k, v)
	}
	return nil
}

func keyText(k []byte) string {
	switch k[0] {
	case codeStr8, codeSym8, codeStr32, codeSym32:
		f := Fields{d: newDecoder(k), left: 1}
		return f.string()
	}
	return ""
}

// MapWriter writes a map section entry by entry.
type MapWriter struct {
	c     compound
	count int
}

// Sections that MapWriter writes.
const (
	DeliveryAnnotations   = sectionDeliveryAnnotations
	MessageAnnotations    = sectionMessageAnnotations
	ApplicationProperties = sectionApplicationProperties
)

// PropertiesSection is the code of a properties section.
const PropertiesSection = sectionProperties

// AppendSection writes a section whose value is encoded already.
func AppendSection(b []byte, section byte, value []byte) []byte {
	return append(append(b, codeDescribed, codeSmallUlong, section), value...)
}

// OpenMap starts a map section at the end of b.
func OpenMap(b []byte, section byte) MapWriter {
	return MapWriter{c: openCompound(append(b, codeDescribed, codeSmallUlong, section), codeMap8)}
}

// Symbol writes an entry with a symbol as its key.
func (w *MapWriter) Symbol(key Symbol, v any) { w.value(AppendSymbol(w.c.b, key), v) }

// String writes an entry with a string as its key.
func (w *MapWriter) String(key string, v any) { w.value(AppendString(w.c.b, key), v) }

func (w *MapWriter) value(b []byte, v any) {
	w.c.b = Append(b, v)
	w.count += 2
}

// Timestamp writes an entry with a symbol as its key and a moment.
func (w *MapWriter) Timestamp(key Symbol, t time.Time) {
	w.c.b = AppendTimestamp(AppendSymbol(w.c.b, key), t)
	w.count += 2
}

// Long writes an entry with a symbol as its key and a long.
func (w *MapWriter) Long(key Symbol, v int64) {
	w.c.b = AppendLong(AppendSymbol(w.c.b, key), v)
	w.count += 2
}

// UUID writes an entry with a symbol as its key and a UUID.
func (w *MapWriter) UUID(key Symbol, v UUID) {
	w.c.b = AppendUUID(AppendSymbol(w.c.b, key), v)
	w.count += 2
}

// Raw writes an entry that is encoded already.
func (w *MapWriter) Raw(k, v Raw) {
	w.c.b = append(append(w.c.b, k...), v...)
	w.count += 2
}

// Close ends the section and returns the whole buffer.
func (w *MapWriter) Close() []byte { return w.c.close(w.count) }

// AppendValueBody writes an amqp-value section.
func AppendValueBody(b []byte, v any) []byte {
	return Append(append(b, codeDescribed, codeSmallUlong, sectionValue), v)
}

// AppendResponseProperties writes a properties section that holds only a
// correlation id.
func AppendResponseProperties(b []byte, correlation any) []byte {
	c := openComposite(b, sectionProperties)
	for range 5 {
		c.null()
	}
	c.value(correlation)
	return c.end()
}

// AppendPropertiesWithID writes a properties section again with a message id
// in place of the missing one.
func AppendPropertiesWithID(b, properties []byte, id string) ([]byte, error) {
	f, err := listFields(properties)
	if err != nil {
		return b, err
	}
	c := openComposite(b, sectionProperties)
	c.string(id)
	f.skip()
	for f.left > 0 && f.err == nil {
		if !f.present() {
			c.null()
			continue
		}
		first, rest, err := Skip(f.d.b)
		if err != nil {
			return b, err
		}
		f.d.b = rest
		c.next()
		c.b = append(c.b, first...)
	}
	return c.end(), f.err
}

// AppendOverlaid writes an application-properties section with entries set
// over those of an encoded map.
func AppendOverlaid(b, properties []byte, overlay Map) ([]byte, error) {
	w := OpenMap(b, sectionApplicationProperties)
	err := EachEntry(properties, func(key string, k, v Raw) {
		if !overlay.has(key) {
			w.Raw(k, v)
		}
	})
	for _, e := range overlay {
		w.String(Text(e.Key), e.Value)
	}
	return w.Close(), err
}

func (m Map) has(key string) bool {
	for _, e := range m {
		if Text(e.Key) == key {
			return true
		}
	}
	return false
}
