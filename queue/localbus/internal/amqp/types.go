package amqp

import "time"

type ( // of AMQP values (part 1, section 1.6); the others are nil, bool, sized numbers, string, []byte for binary, []any for list
	// Symbol is an ASCII name from a constrained domain.
	Symbol string

	// Timestamp counts milliseconds since the Unix epoch.
	Timestamp int64

	// UUID is in the byte order of RFC 9562.
	UUID [16]byte

	// Char is one Unicode code point.
	Char rune

	// Decimal32 is kept as it came.
	Decimal32 [4]byte

	// Decimal64 is kept as it came.
	Decimal64 [8]byte

	// Decimal128 is kept as it came.
	Decimal128 [16]byte

	// Described is a value with a descriptor.
	Described struct {
		Descriptor any
		Value      any
	}

	// Map keeps its entries in the order of the wire.
	Map []Entry

	// Entry is one key with its value.
	Entry struct {
		Key   any
		Value any
	}

	// Array holds values of one type.
	Array struct {
		Code  byte // constructor of the elements in their widest form
		Items []any
	}

	// Raw is one encoded value, written as it stands.
	Raw []byte
)

// Opt is a field that may be absent.
type Opt[T any] struct {
	Value T
	Set   bool
}

// Some returns a present field.
func Some[T any](v T) Opt[T] { return Opt[T]{Value: v, Set: true} }

// Or returns the value, or def when it is absent.
func (o Opt[T]) Or(def T) T {
	if o.Set {
		return o.Value
	}
	return def
}

// Get returns the value of a string or symbol key, nil if there is none.
func (m Map) Get(key string) any {
	for _, e := range m {
		if Text(e.Key) == key {
			return e.Value
		}
	}
	return nil
}

// Text returns the text of a string or symbol, "" of anything else.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case Symbol:
		return string(v)
	}
	return ""
}

// Int returns the value of any integer or timestamp; ok is false for other
// types and for an unsigned value over the range.
func Int(v any) (n int64, ok bool) {
	switch v := v.(type) {
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint64:
		return int64(v), v <= 1<<63-1
	case Timestamp:
		return int64(v), true
	}
	return 0, false
}

// List returns the elements of a list or an array, nil of anything else.
func List(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case Array:
		return v.Items
	}
	return nil
}

// TimestampOf returns t in milliseconds.
func TimestampOf(t time.Time) Timestamp { return Timestamp(t.UnixMilli()) }

// Time returns the moment in UTC.
func (t Timestamp) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }
