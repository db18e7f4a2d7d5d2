package servicebus

import (
	"fmt"
	"time"

	"github.com/Azure/go-amqp"
)

// outgoingProperties checks each value's type before the client encodes it: an
// encoding error would make the client rebuild its connection and try again.
// The result holds strings, bytes, booleans, times, int64, uint64 and float64 only.
func outgoingProperties(properties map[string]any) (map[string]any, error) {
	if len(properties) == 0 {
		return nil, nil
	}
	out := make(map[string]any, len(properties))
	for name, v := range properties {
		plain, ok := simple(v)
		if !ok {
			return nil, fmt.Errorf("property %q: type %T cannot travel", name, v)
		}
		out[name] = plain
	}
	return out, nil
}

// incomingProperties brings values to the types that outgoingProperties names,
// so that a reader does not depend on the sender's choice of width. Values of
// other types (null, lists, maps) are left out.
func incomingProperties(properties map[string]any) map[string]any {
	if len(properties) == 0 {
		return nil
	}
	in := make(map[string]any, len(properties))
	for name, v := range properties {
		if plain, ok := simple(v); ok {
			in[name] = plain
		}
	}
	return in
}

// simple returns v as one of the simple types.
func simple(v any) (any, bool) {
	switch v := v.(type) {
	case string, []byte, bool, time.Time, int64, uint64, float64:
		return v, true
	case amqp.Symbol:
		return string(v), true
	case amqp.UUID:
		return v.String(), true
	}
	return number(v)
}

// number widens v.
func number(v any) (any, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case uint:
		return uint64(v), true
	case uint8:
		return uint64(v), true
	case uint16:
		return uint64(v), true
	case uint32:
		return uint64(v), true
	case float32:
		return float64(v), true
	}
	return nil, false
}
