package amqp

import (
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The encodings follow the tables of part 1, section 1.6 of the standard.
var values = []struct {
	name string
	hex  string
	want any
	wide bool // not the form that Append writes
}{
	{"null", "40", nil, false},
	{"true", "41", true, false},
	{"false", "42", false, false},
	{"boolean true", "56 01", true, true},
	{"boolean false", "56 00", false, true},
	{"ubyte", "50 ff", uint8(255), false},
	{"byte", "51 80", int8(-128), false},
	{"ushort", "60 0102", uint16(0x102), false},
	{"short", "61 ffff", int16(-1), false},
	{"uint0", "43", uint32(0), false},
	{"smalluint", "52 07", uint32(7), false},
	{"uint", "70 00010000", uint32(65536), false},
	{"uint wide", "70 00000001", uint32(1), true},
	{"int small", "54 fe", int32(-2), false},
	{"int", "71 80000000", int32(-1 << 31), false},
	{"ulong0", "44", uint64(0), false},
	{"smallulong", "53 ff", uint64(255), false},
	{"ulong", "80 0000013700000000", uint64(0x13700000000), false},
	{"long small", "55 ff", int64(-1), false},
	{"long", "81 7fffffffffffffff", int64(1<<63 - 1), false},
	{"float", "72 3fc00000", float32(1.5), false},
	{"double", "82 c000000000000000", -2.0, false},
	{"decimal32", "74 01020304", Decimal32{1, 2, 3, 4}, false},
	{"decimal64", "84 0102030405060708", Decimal64{1, 2, 3, 4, 5, 6, 7, 8}, false},
	{"decimal128", "94 000102030405060708090a0b0c0d0e0f", Decimal128{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, false},
	{"char", "73 0001f600", Char(0x1f600), false},
	{"timestamp", "83 0000018bcfe56800", Timestamp(1700000000000), false},
	{"uuid", "98 000102030405060708090a0b0c0d0e0f", UUID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, false},
	{"binary", "a0 03 010203", []byte{1, 2, 3}, false},
	{"binary empty", "a0 00", []byte{}, false},
	{"binary wide", "b0 00000001 09", []byte{9}, true},
	{"string", "a1 05 68c3a96c6f", "hélo", false},
	{"string wide", "b1 00000001 61", "a", true},
	{"symbol", "a3 01 61", Symbol("a"), false},
	{"symbol wide", "b3 00000001 61", Symbol("a"), true},
	{"list0", "45", []any{}, false},
	{"list8", "c0 04 02 40 54 01", []any{nil, int32(1)}, false},
	{"list32", "d0 00000006 00000002 40 41", []any{nil, true}, true},
	{"map8", "c1 06 02 a1 01 6b 54 05", Map{{"k", int32(5)}}, false},
	{"map32", "d1 00000006 00000002 41 42", Map{{true, false}}, true},
	{"array8 of small long", "e0 04 02 55 01 ff", Array{codeLong, []any{int64(1), int64(-1)}}, true},
	{"array8 of small uint", "e0 04 02 52 01 02", Array{codeUint, []any{uint32(1), uint32(2)}}, true},
	{"array32 of long", "f0 00000015 00000002 81 0000000000000001 ffffffffffffffff", Array{codeLong, []any{int64(1), int64(-1)}}, true},
	{"array of true", "e0 02 03 41", Array{codeBool, []any{true, true, true}}, true},
	{"array of str8", "e0 06 02 a1 01 61 01 62", Array{codeStr32, []any{"a", "b"}}, true},
	{"array of described", "e0 07 02 00 53 01 54 09 08", Array{codeInt, []any{Described{uint64(1), int32(9)}, Described{uint64(1), int32(8)}}}, true},
	{"array of lists", "e0 06 02 c0 01 00 01 00", Array{codeList32, []any{[]any{}, []any{}}}, true},
	{"described", "00 53 24 45", Described{uint64(0x24), []any{}}, false},
	{"described by symbol", "00 a3 01 78 41", Described{Symbol("x"), true}, false},
}

func TestDecodeReadsEachConstructor(t *testing.T) {
	t.Parallel()
	for _, tt := range values {
		t.Run(tt.name, func(t *testing.T) {
			b := unhex(t, tt.hex)
			got, rest, err := Decode(append(b, 0xee))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) || len(rest) != 1 {
				t.Errorf("got %#v with %d bytes left, want %#v with 1", got, len(rest), tt.want)
			}
			first, rest, err := Skip(append(b, 0xee))
			if err != nil || len(first) != len(b) || len(rest) != 1 {
				t.Errorf("skip: %d bytes, %d left, error %v", len(first), len(rest), err)
			}
		})
	}
}

func TestAppendWritesTheCompactForm(t *testing.T) {
	t.Parallel()
	for _, tt := range values {
		t.Run(tt.name, func(t *testing.T) {
			b := Append(nil, tt.want)
			if want := unhex(t, tt.hex); !tt.wide && string(b) != string(want) {
				t.Errorf("got %x, want %x", b, want)
			}
			back, rest, err := Decode(b)
			if err != nil || len(rest) > 0 || !reflect.DeepEqual(back, tt.want) {
				t.Errorf("got back %#v (%d bytes left, error %v), want %#v", back, len(rest), err, tt.want)
			}
		})
	}
}

func TestAppendOfLongValues(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	list := make([]any, 300)
	for i := range list {
		list[i] = true
	}
	for _, want := range []any{long, Symbol(long), []byte(long), list, []any{long}, Map{{long, long}}} {
		got, _, err := Decode(Append(nil, want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%T: got %v, error %v", want, got, err)
		}
	}
}

func TestAppendOfForeignTypes(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1700000000000)
	if got, want := Append(nil, now), Append(nil, Timestamp(1700000000000)); string(got) != string(want) {
		t.Errorf("time: got %x, want %x", got, want)
	}
	if got := Append(nil, struct{}{}); string(got) != "\x40" {
		t.Errorf("struct: got %x, want null", got)
	}
	if got := Append(nil, Raw{0x41}); string(got) != "\x41" {
		t.Errorf("raw: got %x, want 41", got)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("c0 7f 01 ", 40)
	tests := []struct{ name, hex string }{
		{"nothing", ""},
		{"unknown constructor", "99"},
		{"short int", "71 0000"},
		{"short string", "a1 05 61"},
		{"short size", "b1 0000"},
		{"huge size", "b1 ffffffff 61"},
		{"bad boolean", "56 02"},
		{"bad UTF-8", "a1 01 ff"},
		{"list with bytes left", "c0 03 01 40 40"},
		{"list with too few", "c0 02 02 40"},
		{"list with a huge count", "d0 00000005 ffffffff 40"},
		{"map with a key alone", "c1 02 01 40"},
		{"array of a huge count of nulls", "f0 00000005 7fffffff 40"},
		{"array of doubly described values", "e0 06 01 00 40 00 40 40"},
		{"array without a constructor", "e0 01 00"},
		{"descriptor alone", "00 53 24"},
		{"deep lists", deep},
		{"deep descriptors", strings.Repeat("00", 40) + "40"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if v, _, err := Decode(unhex(t, tt.hex)); !errors.Is(err, ErrMalformed) {
				t.Errorf("got %#v, error %v", v, err)
			}
			if tt.name == "bad boolean" || tt.name == "bad UTF-8" {
				return // Skip looks at the structure only
			}
			if _, _, err := Skip(unhex(t, tt.hex)); !errors.Is(err, ErrMalformed) {
				t.Errorf("skip: error %v", err)
			}
		})
	}
}

// Nested arrays of null take a byte or two each and could ask for much memory.
func TestDecodeBoundsValuesWithoutWidth(t *testing.T) {
	t.Parallel()
	item := unhex(t, "e0 02 fe 40")
	body := []byte{}
	for range 60 {
		body = append(body, item...)
	}
	list := append([]byte{codeList8, byte(len(body) + 1), 60}, body...)
	if _, _, err := Decode(list); !errors.Is(err, ErrMalformed) {
		t.Errorf("15,240 values in %d bytes: error %v", len(list), err)
	}
}

func TestIntTakesEveryWidth(t *testing.T) {
	t.Parallel()
	for _, v := range []any{int8(7), int16(7), int32(7), int64(7), uint8(7), uint16(7), uint32(7), uint64(7), Timestamp(7)} {
		if n, ok := Int(v); n != 7 || !ok {
			t.Errorf("%T: got %d, %v", v, n, ok)
		}
	}
	for _, v := range []any{uint64(1 << 63), "7", nil} {
		if _, ok := Int(v); ok {
			t.Errorf("%T %v: taken as an integer", v, v)
		}
	}
}
