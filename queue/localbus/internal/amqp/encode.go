package amqp

import (
	"encoding/binary"
	"math"
	"time"
)

// Append writes v in its most compact form. A time.Time is written as a
// timestamp, a value of a type that AMQP does not have as null.
func Append(b []byte, v any) []byte {
	switch v := v.(type) {
	case Raw:
		return append(b, v...)
	case bool:
		return AppendBool(b, v)
	case uint32:
		return AppendUint(b, v)
	case uint64:
		return AppendUlong(b, v)
	case int32:
		if int32(int8(v)) == v {
			return append(b, codeSmallInt, byte(v))
		}
	case int64:
		return AppendLong(b, v)
	case string:
		return AppendString(b, v)
	case Symbol:
		return AppendSymbol(b, v)
	case []byte:
		return AppendBinary(b, v)
	case Map:
		return appendMap(b, v)
	case []any:
		return appendList(b, v)
	case Described:
		b = append(b, codeDescribed)
		b = Append(b, v.Descriptor)
		return Append(b, v.Value)
	case time.Time:
		return AppendTimestamp(b, v)
	}
	code := codeOf(v)
	return appendWide(append(b, code), v)
}

// AppendBool writes a boolean.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, codeTrue)
	}
	return append(b, codeFalse)
}

// AppendUint writes an unsigned 32-bit integer.
func AppendUint(b []byte, v uint32) []byte {
	switch {
	case v == 0:
		return append(b, codeUint0)
	case v < 256:
		return append(b, codeSmallUint, byte(v))
	}
	return binary.BigEndian.AppendUint32(append(b, codeUint), v)
}

// AppendUlong writes an unsigned 64-bit integer.
func AppendUlong(b []byte, v uint64) []byte {
	switch {
	case v == 0:
		return append(b, codeUlong0)
	case v < 256:
		return append(b, codeSmallUlong, byte(v))
	}
	return binary.BigEndian.AppendUint64(append(b, codeUlong), v)
}

// AppendLong writes a signed 64-bit integer.
func AppendLong(b []byte, v int64) []byte {
	if int64(int8(v)) == v {
		return append(b, codeSmallLong, byte(v))
	}
	return binary.BigEndian.AppendUint64(append(b, codeLong), uint64(v))
}

// AppendTimestamp writes a moment in milliseconds.
func AppendTimestamp(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(append(b, codeTimestamp), uint64(t.UnixMilli()))
}

// AppendUUID writes a UUID.
func AppendUUID(b []byte, v UUID) []byte { return append(append(b, codeUUID), v[:]...) }

// AppendString writes a UTF-8 string.
func AppendString(b []byte, v string) []byte {
	if len(v) < 256 {
		return append(append(b, codeStr8, byte(len(v))), v...)
	}
	return append(binary.BigEndian.AppendUint32(append(b, codeStr32), uint32(len(v))), v...)
}

// AppendSymbol writes a symbol.
func AppendSymbol(b []byte, v Symbol) []byte {
	if len(v) < 256 {
		return append(append(b, codeSym8, byte(len(v))), v...)
	}
	return append(binary.BigEndian.AppendUint32(append(b, codeSym32), uint32(len(v))), v...)
}

// AppendBinary writes a byte string.
func AppendBinary(b, v []byte) []byte {
	if len(v) < 256 {
		return append(append(b, codeBin8, byte(len(v))), v...)
	}
	return append(binary.BigEndian.AppendUint32(append(b, codeBin32), uint32(len(v))), v...)
}

func appendList(b []byte, items []any) []byte {
	if len(items) == 0 {
		return append(b, codeList0)
	}
	c := openCompound(b, codeList8)
	for _, v := range items {
		c.b = Append(c.b, v)
	}
	return c.close(len(items))
}

func appendMap(b []byte, m Map) []byte {
	c := openCompound(b, codeMap8)
	for _, e := range m {
		c.b = Append(c.b, e.Key)
		c.b = Append(c.b, e.Value)
	}
	return c.close(2 * len(m))
}

// codeOf returns the widest constructor for a value.
func codeOf(v any) byte {
	switch v := v.(type) {
	case bool:
		return codeBool
	case uint8:
		return codeUbyte
	case int8:
		return codeByte
	case uint16:
		return codeUshort
	case int16:
		return codeShort
	case uint32:
		return codeUint
	case int32:
		return codeInt
	case float32:
		return codeFloat
	case Char:
		return codeChar
	case uint64:
		return codeUlong
	case int64:
		return codeLong
	case float64:
		return codeDouble
	case Timestamp, time.Time:
		return codeTimestamp
	case UUID:
		return codeUUID
	case []byte:
		return codeBin32
	case string:
		return codeStr32
	case Symbol:
		return codeSym32
	case []any:
		return codeList32
	case Map:
		return codeMap32
	case Array:
		return codeArray32
	default:
		return codeOfDecimal(v)
	}
}

func codeOfDecimal(v any) byte {
	switch v.(type) {
	case Decimal32:
		return codeDecimal32
	case Decimal64:
		return codeDecimal64
	case Decimal128:
		return codeDecimal128
	}
	return codeNull
}

// appendWide writes what follows the constructor that codeOf returns.
func appendWide(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, 1)
		}
		return append(b, 0)
	case uint8:
		return append(b, v)
	case int8:
		return append(b, byte(v))
	case uint16:
		return binary.BigEndian.AppendUint16(b, v)
	case int16:
		return binary.BigEndian.AppendUint16(b, uint16(v))
	case uint32:
		return binary.BigEndian.AppendUint32(b, v)
	case int32:
		return binary.BigEndian.AppendUint32(b, uint32(v))
	case Char:
		return binary.BigEndian.AppendUint32(b, uint32(v))
	case float32:
		return binary.BigEndian.AppendUint32(b, math.Float32bits(v))
	case uint64:
		return binary.BigEndian.AppendUint64(b, v)
	case int64:
		return binary.BigEndian.AppendUint64(b, uint64(v))
	case Timestamp:
		return binary.BigEndian.AppendUint64(b, uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
	case UUID:
		return append(b, v[:]...)
	case Decimal32:
		return append(b, v[:]...)
	case Decimal64:
		return append(b, v[:]...)
	case Decimal128:
		return append(b, v[:]...)
	}
	return appendSized(b, v)
}

// appendSized writes the wide forms that start with a size.
func appendSized(b []byte, v any) []byte {
	switch v := v.(type) {
	case []byte:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case string:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case Symbol:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case time.Time:
		return appendWide(b, TimestampOf(v))
	}
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	switch v := v.(type) {
	case []any:
		b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
		for _, item := range v {
			b = Append(b, item)
		}
	case Map:
		b = binary.BigEndian.AppendUint32(b, uint32(2*len(v)))
		for _, e := range v {
			b = Append(Append(b, e.Key), e.Value)
		}
	case Array:
		b = appendArray(b, v)
	default:
		return b[:start]
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

// appendArray writes count, constructor and elements. Elements that are not
// of the array's type are left out.
func appendArray(b []byte, a Array) []byte {
	start, count := len(b), uint32(0)
	b = append(b, 0, 0, 0, 0)
	if len(a.Items) > 0 {
		if d, ok := a.Items[0].(Described); ok {
			b = Append(append(b, codeDescribed), d.Descriptor)
		}
	}
	b = append(b, a.Code)
	for _, v := range a.Items {
		if d, ok := v.(Described); ok {
			v = d.Value
		}
		if codeOf(v) == a.Code {
			b = appendWide(b, v)
			count++
		}
	}
	binary.BigEndian.PutUint32(b[start:], count)
	return b
}
