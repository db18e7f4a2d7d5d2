package amqp

import "encoding/binary"

// Fields reads the fields of a described list one after the other. The first
// error sticks; fields that are null, missing or behind an error are absent.
type Fields struct {
	d    decoder
	left int
	err  error
}

// Len returns how many bytes the fields take that were not read yet.
func (f *Fields) Len() int { return len(f.d.b) }

// openList cuts a described list off d.
func (d *decoder) openList() (code byte, f Fields, err error) {
	if code, err = d.descriptor(); err != nil {
		return 0, f, err
	}
	c, err := d.constructor()
	if err != nil {
		return 0, f, err
	}
	p, err := d.payload(c)
	if err != nil {
		return 0, f, err
	}
	switch c {
	case codeList0:
		return code, Fields{}, nil
	case codeList8, codeList32:
		in, count, err := d.inside(c, p)
		return code, Fields{d: in, left: count}, err
	}
	return 0, f, malformed("list expected, constructor 0x%02x", c)
}

// unsigned reads an unsigned integer of any width up to bits.
func (d *decoder) unsigned(bits int) (uint64, error) {
	code, err := d.constructor()
	if err != nil {
		return 0, err
	}
	return d.unsignedBody(code, bits)
}

func (d *decoder) unsignedBody(code byte, bits int) (uint64, error) {
	p, err := d.payload(code)
	if err != nil {
		return 0, err
	}
	var v uint64
	switch code {
	case codeUint0, codeUlong0:
	case codeUbyte, codeSmallUint, codeSmallUlong:
		v = uint64(p[0])
	case codeUshort:
		v = uint64(binary.BigEndian.Uint16(p))
	case codeUint:
		v = uint64(binary.BigEndian.Uint32(p))
	case codeUlong:
		v = binary.BigEndian.Uint64(p)
	default:
		return 0, malformed("unsigned integer expected, constructor 0x%02x", code)
	}
	if bits < 64 && v>>bits != 0 {
		return 0, malformed("%d does not fit into %d bits", v, bits)
	}
	return v, nil
}

// present moves to the next field and reports whether it has a value.
func (f *Fields) present() bool {
	if f.err != nil || f.left == 0 {
		return false
	}
	f.left--
	if len(f.d.b) > 0 && f.d.b[0] == codeNull {
		_, f.err = f.d.constructor()
		return false
	}
	return true
}

func (f *Fields) skip() {
	if f.present() {
		f.err = f.d.skip()
	}
}

func (f *Fields) unsigned(bits int) (v uint64, ok bool) {
	if !f.present() {
		return 0, false
	}
	v, f.err = f.d.unsigned(bits)
	return v, f.err == nil
}

func (f *Fields) uint() Opt[uint32] {
	v, ok := f.unsigned(32)
	return Opt[uint32]{uint32(v), ok}
}

func (f *Fields) ushort() Opt[uint16] {
	v, ok := f.unsigned(16)
	return Opt[uint16]{uint16(v), ok}
}

func (f *Fields) ubyte() Opt[uint8] {
	v, ok := f.unsigned(8)
	return Opt[uint8]{uint8(v), ok}
}

func (f *Fields) ulong() uint64 {
	v, _ := f.unsigned(64)
	return v
}

func (f *Fields) bool() bool {
	if !f.present() {
		return false
	}
	code, err := f.d.constructor()
	if err != nil {
		f.err = err
		return false
	}
	switch code {
	case codeTrue, codeFalse, codeBool:
		p, err := f.d.payload(code)
		f.err = err
		return code == codeTrue || len(p) == 1 && p[0] != 0
	}
	f.err = malformed("boolean expected, constructor 0x%02x", code)
	return false
}

// bytes returns a binary, string or symbol as it stands, nil if absent.
func (f *Fields) bytes() []byte {
	if !f.present() {
		return nil
	}
	code, err := f.d.constructor()
	if err != nil {
		f.err = err
		return nil
	}
	if code>>4 != 0xa && code>>4 != 0xb {
		f.err = malformed("text or binary expected, constructor 0x%02x", code)
		return nil
	}
	p, err := f.d.payload(code)
	f.err = err
	return p
}

func (f *Fields) string() string { return string(f.bytes()) }

// value reads a field of any type, nil if absent.
func (f *Fields) value() any {
	if !f.present() {
		return nil
	}
	v, err := f.d.value()
	f.err = err
	return v
}

func (f *Fields) mapping() Map {
	v := f.value()
	m, ok := v.(Map)
	if v != nil && !ok && f.err == nil {
		f.err = malformed("map expected")
	}
	return m
}

// nested reads a field that is itself a described list; code is 0 if absent.
func (f *Fields) nested() (code byte, in Fields) {
	if !f.present() {
		return 0, in
	}
	code, in, f.err = f.d.openList()
	return code, in
}

// join takes over the error of a nested list.
func (f *Fields) join(in Fields) {
	if f.err == nil {
		f.err = in.err
	}
}
