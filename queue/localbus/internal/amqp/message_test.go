package amqp

import (
	"bytes"
	"errors"
	"maps"
	"reflect"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
)

// clientMessage returns a message with everything that a client can set,
// encoded by the client library.
func clientMessage(t testing.TB) (*goamqp.Message, []byte) {
	t.Helper()
	id, group, reply, subject := "id-1", "group-1", "replies", "label"
	m := &goamqp.Message{
		Header:              &goamqp.MessageHeader{Durable: true, Priority: 9, TTL: 1500 * time.Millisecond},
		DeliveryAnnotations: goamqp.Annotations{"d": "x"},
		Annotations:         goamqp.Annotations{"x-opt-partition-key": "pk", "when": time.UnixMilli(1700000000000).UTC()},
		Properties:          &goamqp.MessageProperties{MessageID: id, GroupID: &group, ReplyTo: &reply, Subject: &subject},
		ApplicationProperties: map[string]any{
			"string": "s", "int": int64(-5), "bool": true, "float": 1.5, "time": time.UnixMilli(1700000000000).UTC(),
		},
		Data:   [][]byte{[]byte("first"), bytes.Repeat([]byte{7}, 300)},
		Footer: goamqp.Annotations{"f": "y"},
	}
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return m, b
}

func TestParseMessageOfTheClientLibrary(t *testing.T) {
	t.Parallel()
	want, b := clientMessage(t)
	s, err := ParseMessage(b)
	if err != nil {
		t.Fatal(err)
	}
	h, err := DecodeHeader(s.Header)
	if err != nil || h.TTL.Value != 1500 || !h.Durable || h.Priority.Value != 9 {
		t.Errorf("header %+v, error %v", h, err)
	}
	p, err := DecodeProperties(s.Properties)
	if err != nil || p.MessageID != "id-1" || p.GroupID != Some("group-1") || p.ReplyTo != "replies" {
		t.Errorf("properties %+v, error %v", p, err)
	}
	keys := map[string]any{}
	err = EachEntry(s.ApplicationProperties, func(key string, _, v Raw) { keys[key], _, _ = Decode(v) })
	if err != nil || keys["int"] != int64(-5) || keys["float"] != 1.5 || len(keys) != 5 {
		t.Errorf("application properties %v, error %v", keys, err)
	}
	var data [][]byte
	err = s.EachData(func(b []byte) error { data = append(data, b); return nil })
	if err != nil || !reflect.DeepEqual(data, want.Data) {
		t.Errorf("%d data sections, error %v", len(data), err)
	}
}

func TestClientLibraryReadsWhatWeWrite(t *testing.T) {
	t.Parallel()
	want, b := clientMessage(t)
	s, err := ParseMessage(b)
	if err != nil {
		t.Fatal(err)
	}
	out := Header{Durable: true, TTL: Some[uint32](1500), DeliveryCount: 3}.Append(nil)
	w := OpenMap(out, MessageAnnotations)
	w.Long("long", 1<<40)
	w.Timestamp("time", time.UnixMilli(1700000000000))
	w.UUID("uuid", UUID{1})
	w.Symbol("text", "v")
	out = AppendSection(w.Close(), PropertiesSection, s.Properties)
	if out, err = AppendOverlaid(out, s.ApplicationProperties, Map{{"bool", "replaced"}, {"new", int32(1)}}); err != nil {
		t.Fatal(err)
	}
	var got goamqp.Message
	if err := got.UnmarshalBinary(append(out, s.Body...)); err != nil {
		t.Fatal(err)
	}
	if got.Header.DeliveryCount != 3 || got.Header.TTL != 1500*time.Millisecond {
		t.Errorf("header %+v", got.Header)
	}
	notes := goamqp.Annotations{"long": int64(1 << 40), "time": time.UnixMilli(1700000000000).UTC(), "uuid": goamqp.UUID{1}, "text": "v"}
	if !reflect.DeepEqual(plain(got.Annotations), plain(notes)) {
		t.Errorf("annotations %v, want %v", got.Annotations, notes)
	}
	want.ApplicationProperties["bool"], want.ApplicationProperties["new"] = "replaced", int32(1)
	if !reflect.DeepEqual(plain(got.ApplicationProperties), plain(want.ApplicationProperties)) {
		t.Errorf("application properties %v, want %v", got.ApplicationProperties, want.ApplicationProperties)
	}
	if !reflect.DeepEqual(got.Properties, want.Properties) || !reflect.DeepEqual(got.Data, want.Data) || !reflect.DeepEqual(got.Footer, want.Footer) {
		t.Errorf("bare message changed: %+v", got)
	}
}

// plain makes maps with times comparable.
func plain[K comparable](m map[K]any) map[K]any {
	m = maps.Clone(m)
	for k, v := range m {
		if t, ok := v.(time.Time); ok {
			m[k] = t.UnixMilli()
		}
	}
	return m
}

func TestPropertiesGetAnID(t *testing.T) {
	t.Parallel()
	subject := "label"
	for name, p := range map[string]*goamqp.MessageProperties{
		"none":    nil,
		"subject": {Subject: &subject},
		"empty":   {},
	} {
		b, err := (&goamqp.Message{Properties: p, Data: [][]byte{{1}}}).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		s, err := ParseMessage(b)
		if err != nil {
			t.Fatal(err)
		}
		out, err := AppendPropertiesWithID(nil, s.Properties, "made-up")
		if err != nil {
			t.Fatal(err)
		}
		var got goamqp.Message
		if err := got.UnmarshalBinary(append(out, s.Body...)); err != nil {
			t.Fatal(err)
		}
		if got.Properties.MessageID != "made-up" || name == "subject" && *got.Properties.Subject != "label" {
			t.Errorf("%s: got %+v", name, got.Properties)
		}
	}
}

func TestIDText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		id   any
		want string
	}{
		{"a", "a"}, {uint64(12), "12"}, {[]byte("b"), "b"}, {nil, ""},
		{UUID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}, "00010203-0405-0607-0809-0a0b0c0d0eff"},
	} {
		if got := IDText(tt.id); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.id, got, tt.want)
		}
	}
}

func TestParseMessageRefuses(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]string{
		"not a section":                      "a10161",
		"unknown section":                    "005379 45",
		"header is a map":                    "005370 c10100",
		"data is a string":                   "005375 a100",
		"properties twice":                   "005373 45 005373 45",
		"header after data":                  "005375 a000 005370 45",
		"descriptor alone":                   "005375",
		"broken map inside":                  "005374 c1 03 02 a105",
		"two values":                         "005377 40 005377 40",
		"delivery annotations amid the body": "005375 a000 005371 c10100 005375 a000",
		"delivery annotations twice":         "005371 c10100 005375 a000 005371 c10100",
	} {
		if _, err := ParseMessage(unhex(t, h)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestBareMessageIsUntouched(t *testing.T) {
	t.Parallel()
	// Wide forms, an id of type ulong, a symbol key and a sequence body.
	bare := unhex(t, "0080 0000000000000073 d0 0000000d 00000001 80 0000000000000007 005374 c1 06 02 a30161 5601 005376 45")
	s, err := ParseMessage(append(Header{}.Append(nil), bare...))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(s.Bare, bare) {
		t.Errorf("got %x, want %x", s.Bare, bare)
	}
	if p, err := DecodeProperties(s.Properties); err != nil || p.MessageID != uint64(7) {
		t.Errorf("got %+v, error %v", p, err)
	}
}

// Some clients put the delivery annotations last.
func TestDeliveryAnnotationsAtTheEnd(t *testing.T) {
	t.Parallel()
	for name, bare := range map[string]string{
		"after a footer":     "005373 45 005375 a0020102 005378 c10100",
		"after a body":       "005375 a0020102",
		"after properties":   "005373 45",
		"empty ones, before": "",
	} {
		want := unhex(t, bare)
		b := append(Header{}.Append(nil), want...)
		s, err := ParseMessage(append(b, unhex(t, "005371 c10100")...))
		if err != nil || !bytes.Equal(s.Bare, want) || string(s.DeliveryAnnotations) != "\xc1\x01\x00" {
			t.Errorf("%s: bare %x, annotations %x, error %v", name, s.Bare, s.DeliveryAnnotations, err)
		}
		if !bytes.HasSuffix(want, s.Body) {
			t.Errorf("%s: body %x", name, s.Body)
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, tt := range values {
		f.Add(unhex(f, tt.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := Decode(b)
		first, left, skipErr := Skip(b)
		if err != nil {
			return
		}
		if skipErr != nil || len(left) != len(rest) || len(first)+len(left) != len(b) {
			t.Fatalf("Skip: %d and %d bytes, error %v; Decode left %d", len(first), len(left), skipErr, len(rest))
		}
		again, _, err := Decode(Append(nil, v))
		if err != nil || !bytes.Equal(Append(nil, again), Append(nil, v)) {
			t.Fatalf("%#v came back as %#v, error %v", v, again, err)
		}
	})
}

func FuzzFrame(f *testing.F) {
	tr := Transfer{Handle: 1, DeliveryID: Some[uint32](0), DeliveryTag: []byte{1}}
	f.Add(tr.Append(nil, 0, []byte{1}))
	f.Add(Open{ContainerID: "c"}.Append(nil))
	f.Add(Attach{Name: "n", Source: NewTerminus(CodeSource, "q")}.Append(nil, 0))
	f.Add(Detach{Error: &Error{Condition: "c"}}.Append(nil, 0))
	f.Add(Flow{LinkCredit: Some[uint32](1)}.Append(nil, 0))
	f.Add((&Disposition{State: State{Code: CodeModified}}).Append(nil, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseFrameHeader(b, 1<<16)
		if err != nil || int(h.Size) > len(b) {
			return
		}
		code, fields, _, err := Parse(b[h.Offset:h.Size])
		if err != nil {
			return
		}
		decodeAny(code, fields)
	})
}

func decodeAny(code byte, f Fields) {
	switch code {
	case CodeOpen:
		DecodeOpen(f)
	case CodeBegin:
		DecodeBegin(f)
	case CodeAttach:
		DecodeAttach(f)
	case CodeFlow:
		DecodeFlow(f)
	case CodeTransfer:
		DecodeTransfer(f)
	case CodeDisposition:
		DecodeDisposition(f)
	case CodeDetach:
		DecodeDetach(f)
	case CodeEnd:
		DecodeEnd(f)
	case CodeClose:
		DecodeClose(f)
	case CodeSASLInit:
		DecodeSASLInit(f)
	}
}

func FuzzMessage(f *testing.F) {
	_, b := clientMessage(f)
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseMessage(b)
		if err != nil {
			return
		}
		if !bytes.Contains(b, s.Bare) || !bytes.HasSuffix(s.Bare, s.Body) {
			t.Fatal("the bare message is not a part of the message")
		}
		out, err := AppendPropertiesWithID(nil, s.Properties, "id")
		if err != nil {
			return
		}
		if out, err = AppendOverlaid(out, s.ApplicationProperties, Map{{"k", "v"}}); err != nil {
			t.Fatal(err)
		}
		again, err := ParseMessage(append(out, s.Body...))
		if err != nil {
			t.Fatalf("what we wrote: %v", err)
		}
		if !bytes.Equal(again.Body, s.Body) {
			t.Fatal("the body changed")
		}
	})
}
