package amqp

import "encoding/binary"

// compound is a list or map under construction at the end of b. It is written
// with a wide header and moved together if it turns out short.
type compound struct {
	b     []byte
	start int
	code  byte // the narrow constructor
}

const wideHeader = 9 // constructor, size and count

func openCompound(b []byte, code byte) compound {
	return compound{b: append(b, make([]byte, wideHeader)...), start: len(b), code: code}
}

func (c *compound) close(count int) []byte {
	head, body := c.b[c.start:], c.b[c.start+wideHeader:]
	if len(body) < 255 && count < 256 {
		head[0], head[1], head[2] = c.code, byte(len(body)+1), byte(count)
		n := copy(head[3:], body)
		return c.b[:c.start+3+n]
	}
	head[0] = c.code + 0x10
	binary.BigEndian.PutUint32(head[1:], uint32(len(body)+4))
	binary.BigEndian.PutUint32(head[5:], uint32(count))
	return c.b
}

// composite is a described list under construction. Nulls at its end are left
// out, unless keepNulls was called.
type composite struct {
	compound
	count int
	nulls int
}

func openComposite(b []byte, code byte) composite {
	return composite{compound: openCompound(append(b, codeDescribed, codeSmallUlong, code), codeList8)}
}

// next makes room for a field that is present.
func (c *composite) next() {
	c.keepNulls()
	c.count++
}

func (c *composite) null() { c.nulls++ }

// keepNulls writes the nulls at the end so far, for readers that count on
// every field.
func (c *composite) keepNulls() {
	for range c.nulls {
		c.b = append(c.b, codeNull)
	}
	c.count += c.nulls
	c.nulls = 0
}

func (c *composite) end() []byte {
	if c.count == 0 {
		return append(c.b[:c.start], codeList0)
	}
	return c.close(c.count)
}

// flag writes a boolean whose default is false.
func (c *composite) flag(v bool) {
	if !v {
		c.null()
		return
	}
	c.next()
	c.b = append(c.b, codeTrue)
}

func (c *composite) bool(v bool) {
	c.next()
	c.b = AppendBool(c.b, v)
}

func (c *composite) uint(v uint32) {
	c.next()
	c.b = AppendUint(c.b, v)
}

func (c *composite) optUint(v Opt[uint32]) {
	if !v.Set {
		c.null()
		return
	}
	c.uint(v.Value)
}

func (c *composite) ubyte(v Opt[uint8]) {
	if !v.Set {
		c.null()
		return
	}
	c.next()
	c.b = append(c.b, codeUbyte, v.Value)
}

func (c *composite) ushort(v uint16) {
	c.next()
	c.b = binary.BigEndian.AppendUint16(append(c.b, codeUshort), v)
}

func (c *composite) ulong(v uint64) {
	c.next()
	c.b = AppendUlong(c.b, v)
}

func (c *composite) string(v string) {
	c.next()
	c.b = AppendString(c.b, v)
}

func (c *composite) symbol(v Symbol) {
	c.next()
	c.b = AppendSymbol(c.b, v)
}

func (c *composite) binary(v []byte) {
	if v == nil {
		c.null()
		return
	}
	c.next()
	c.b = AppendBinary(c.b, v)
}

// value writes any value; nil and an empty map are null.
func (c *composite) value(v any) {
	if m, ok := v.(Map); v == nil || ok && len(m) == 0 {
		c.null()
		return
	}
	c.next()
	c.b = Append(c.b, v)
}

// state writes a delivery state in place.
func (c *composite) state(s State) {
	if s.Code == 0 {
		c.null()
		return
	}
	c.next()
	c.b = s.append(c.b)
}

// failure writes an error.
func (c *composite) failure(e *Error) {
	if e == nil {
		c.null()
		return
	}
	c.next()
	c.b = e.append(c.b)
}
