package amqp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// ErrMalformed marks bytes that are not what AMQP 1.0 allows.
var ErrMalformed = errors.New("malformed AMQP data")

const (
	maxDepth   = 32 // nesting of compound, array and described values
	freeValues = 64 // values of no width that a short input may still hold
)

// decoder is a cursor with limits. Each value costs one unit of the budget,
// which is in proportion to the input.
type decoder struct {
	b      []byte
	depth  int
	budget int
}

func newDecoder(b []byte) decoder {
	return decoder{b: b, budget: len(b) + freeValues}
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// Decode reads the first value of b and returns what follows it.
func Decode(b []byte) (v any, rest []byte, err error) {
	d := newDecoder(b)
	v, err = d.value()
	return v, d.b, err
}

// Skip checks the first value of b in depth and returns its bytes and what
// follows. It does not allocate.
func Skip(b []byte) (first, rest []byte, err error) {
	d := newDecoder(b)
	if err := d.skip(); err != nil {
		return nil, nil, err
	}
	return b[:len(b)-len(d.b)], d.b, nil
}

// take cuts n bytes off.
func (d *decoder) take(n int) ([]byte, error) {
	if n < 0 || n > len(d.b) {
		return nil, malformed("%d bytes expected, %d left", n, len(d.b))
	}
	p := d.b[:n:n]
	d.b = d.b[n:]
	return p, nil
}

// constructor cuts a constructor off and pays for the value.
func (d *decoder) constructor() (byte, error) {
	p, err := d.take(1)
	if err != nil {
		return 0, err
	}
	if d.budget--; d.budget < 0 {
		return 0, malformed("too many values")
	}
	if p[0] != codeDescribed && !known(p[0]) {
		return 0, malformed("unknown constructor 0x%02x", p[0])
	}
	return p[0], nil
}

// payload cuts off the bytes that follow a constructor. For variable and
// compound types these are what the size counts.
func (d *decoder) payload(code byte) ([]byte, error) {
	switch code >> 4 {
	case 0x4:
		return nil, nil
	case 0x5, 0x6, 0x7, 0x8, 0x9:
		return d.take(1 << (code>>4 - 5))
	case 0xa, 0xc, 0xe:
		n, err := d.take(1)
		if err != nil {
			return nil, err
		}
		return d.take(int(n[0]))
	}
	n, err := d.take(4)
	if err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(n)
	if uint64(size) > uint64(len(d.b)) {
		return nil, malformed("size %d, %d bytes left", size, len(d.b))
	}
	return d.take(int(size))
}

// value reads one value.
func (d *decoder) value() (any, error) {
	code, err := d.constructor()
	if err != nil {
		return nil, err
	}
	return d.body(code)
}

// body reads the value behind a constructor.
func (d *decoder) body(code byte) (any, error) {
	if code == codeDescribed {
		return d.described()
	}
	p, err := d.payload(code)
	if err != nil {
		return nil, err
	}
	switch code >> 4 {
	case 0x4, 0x5, 0x6, 0x7, 0x8, 0x9:
		return fixed(code, p)
	case 0xa, 0xb:
		return variable(code, p)
	}
	return d.compound(code, p)
}

func (d *decoder) described() (any, error) {
	if d.depth++; d.depth > maxDepth {
		return nil, malformed("nested deeper than %d", maxDepth)
	}
	defer func() { d.depth-- }()
	descriptor, err := d.value()
	if err != nil {
		return nil, err
	}
	v, err := d.value()
	return Described{Descriptor: descriptor, Value: v}, err
}

// variable reads binary, string and symbol. Binary is copied.
func variable(code byte, p []byte) (any, error) {
	switch code {
	case codeBin8, codeBin32:
		return append([]byte{}, p...), nil
	case codeSym8, codeSym32:
		return Symbol(p), nil
	}
	if !utf8.Valid(p) {
		return nil, malformed("string is not UTF-8")
	}
	return string(p), nil
}

// fixed reads a value of fixed width; p has the width of its constructor.
func fixed(code byte, p []byte) (any, error) {
	switch code {
	case codeNull:
		return nil, nil
	case codeTrue, codeFalse:
		return code == codeTrue, nil
	case codeBool:
		if p[0] > 1 {
			return nil, malformed("boolean 0x%02x", p[0])
		}
		return p[0] == 1, nil
	case codeList0:
		return []any{}, nil
	case codeFloat:
		return math.Float32frombits(binary.BigEndian.Uint32(p)), nil
	case codeDouble:
		return math.Float64frombits(binary.BigEndian.Uint64(p)), nil
	case codeUUID:
		return UUID(p), nil
	case codeDecimal32:
		return Decimal32(p), nil
	case codeDecimal64:
		return Decimal64(p), nil
	case codeDecimal128:
		return Decimal128(p), nil
	}
	return integer(code, p), nil
}

// integer reads whole numbers, characters and timestamps.
func integer(code byte, p []byte) any {
	switch code {
	case codeUint0:
		return uint32(0)
	case codeUlong0:
		return uint64(0)
	case codeUbyte:
		return p[0]
	case codeByte:
		return int8(p[0])
	case codeSmallUint:
		return uint32(p[0])
	case codeSmallUlong:
		return uint64(p[0])
	case codeSmallInt:
		return int32(int8(p[0]))
	case codeSmallLong:
		return int64(int8(p[0]))
	case codeUshort:
		return binary.BigEndian.Uint16(p)
	case codeShort:
		return int16(binary.BigEndian.Uint16(p))
	case codeUint:
		return binary.BigEndian.Uint32(p)
	case codeInt:
		return int32(binary.BigEndian.Uint32(p))
	case codeChar:
		return Char(binary.BigEndian.Uint32(p))
	case codeUlong:
		return binary.BigEndian.Uint64(p)
	case codeTimestamp:
		return Timestamp(binary.BigEndian.Uint64(p))
	}
	return int64(binary.BigEndian.Uint64(p))
}
