package amqp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// symbolic returns an encoded composite or section with its numeric descriptor
// replaced by a name.
func symbolic(b []byte, name string) []byte {
	return append(AppendSymbol([]byte{codeDescribed}, Symbol(name)), b[3:]...)
}

func TestNamedPerformatives(t *testing.T) {
	t.Parallel()
	accepted := State{Code: CodeAccepted}
	transfer := Transfer{DeliveryID: Some[uint32](0), DeliveryTag: []byte{1}}
	disposition := Disposition{Receiver: true, State: accepted}
	init := openSASL(nil, CodeSASLInit)
	for name, b := range map[string][]byte{
		"amqp:open:list":            Open{ContainerID: "c"}.Append(nil),
		"amqp:begin:list":           Begin{}.Append(nil, 0),
		"amqp:attach:list":          Attach{Name: "l"}.Append(nil, 0),
		"amqp:flow:list":            Flow{}.Append(nil, 0),
		"amqp:transfer:list":        transfer.Append(nil, 0, nil),
		"amqp:disposition:list":     disposition.Append(nil, 0),
		"amqp:detach:list":          Detach{}.Append(nil, 0),
		"amqp:end:list":             End{}.Append(nil, 0),
		"amqp:close:list":           Close{}.Append(nil),
		"amqp:sasl-mechanisms:list": SASLMechanisms{"PLAIN"}.Append(nil),
		"amqp:sasl-init:list":       init.finish(),
		"amqp:sasl-outcome:list":    SASLOK.Append(nil),
	} {
		body := b[HeaderSize:]
		want, fields, _, err := Parse(body)
		if err != nil {
			t.Fatal(err)
		}
		got, named, _, err := Parse(symbolic(body, name))
		if err != nil || got != want || named.left != fields.left {
			t.Errorf("%s: code 0x%02x, want 0x%02x; %d fields, want %d; error %v", name, got, want, named.left, fields.left, err)
		}
	}
}

func TestNamedDeliveryStates(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]byte{
		"amqp:received:list": CodeReceived,
		"amqp:accepted:list": CodeAccepted,
		"amqp:rejected:list": CodeRejected,
		"amqp:released:list": CodeReleased,
		"amqp:modified:list": CodeModified,
	} {
		state := (&State{Code: code, DeliveryFailed: true}).append(nil)
		f := Fields{d: newDecoder(symbolic(state, name)), left: 1}
		if got := decodeNestedState(&f); f.err != nil || got.Code != code || got.DeliveryFailed != (code == CodeModified) {
			t.Errorf("%s: %+v, error %v", name, got, f.err)
		}
	}
}

func TestNamedNestedTypes(t *testing.T) {
	t.Parallel()
	fault := symbolic((&Error{Condition: "c", Description: "d"}).append(nil), "amqp:error:list")
	f := Fields{d: newDecoder(fault), left: 1}
	if e := decodeNestedError(&f); f.err != nil || e.Condition != "c" || e.Description != "d" {
		t.Errorf("error %+v, %v", e, f.err)
	}
	for name, code := range map[string]byte{
		"amqp:source:list":      CodeSource,
		"amqp:target:list":      CodeTarget,
		"amqp:coordinator:list": CodeCoordinator,
	} {
		c := openComposite(nil, code)
		c.string("queue")
		f := Fields{d: newDecoder(symbolic(c.end(), name)), left: 1}
		if got := decodeTerminus(&f); f.err != nil || got.Code != code || got.Address() != "queue" {
			t.Errorf("%s: %+v, error %v", name, got, f.err)
		}
	}
}

func TestNamedSections(t *testing.T) {
	t.Parallel()
	var message, bare []byte
	for _, s := range []struct{ name, value string }{
		{"amqp:header:list", "c00201 41"},
		{"amqp:delivery-annotations:map", "c10100"},
		{"amqp:message-annotations:map", "c10702 a30161 a30162"},
		{"amqp:properties:list", "c00401 a10169"},
		{"amqp:application-properties:map", "c10702 a1016b a10176"},
		{"amqp:data:binary", "a00101"},
		{"amqp:footer:map", "c10100"},
	} {
		section := append(AppendSymbol([]byte{codeDescribed}, Symbol(s.name)), unhex(t, s.value)...)
		message = append(message, section...)
		if s.name >= "amqp:p" || len(bare) > 0 {
			bare = append(bare, section...)
		}
	}
	s, err := ParseMessage(message)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := DecodeHeader(s.Header); !h.Durable || err != nil {
		t.Errorf("header %+v, error %v", h, err)
	}
	if p, err := DecodeProperties(s.Properties); p.MessageID != "i" || err != nil {
		t.Errorf("properties %+v, error %v", p, err)
	}
	if s.DeliveryAnnotations == nil || s.MessageAnnotations == nil || s.ApplicationProperties == nil || !bytes.Equal(s.Bare, bare) {
		t.Errorf("sections %+v", s)
	}
	var data []byte
	if err := s.EachData(func(b []byte) error { data = b; return nil }); string(data) != "\x01" || err != nil {
		t.Errorf("data %x, error %v", data, err)
	}
	s, err = ParseMessage(append(AppendSymbol([]byte{codeDescribed}, "amqp:amqp-value:*"), codeTrue))
	if v, valueErr := s.Value(); v != true || err != nil || valueErr != nil {
		t.Errorf("value %v, errors %v and %v", v, err, valueErr)
	}
	if _, err := ParseMessage(append(AppendSymbol([]byte{codeDescribed}, "amqp:amqp-sequence:list"), codeList0)); err != nil {
		t.Errorf("sequence: %v", err)
	}
}

func TestUnknownNamesAreRefused(t *testing.T) {
	t.Parallel()
	long := append([]byte{codeDescribed, codeSym32}, binary.BigEndian.AppendUint32(nil, 1<<31)...)
	for name, b := range map[string][]byte{
		"unknown":   append(AppendSymbol([]byte{codeDescribed}, "amqp:open:map"), codeList0),
		"empty":     append(AppendSymbol([]byte{codeDescribed}, ""), codeList0),
		"string":    append(AppendString([]byte{codeDescribed}, "amqp:open:list"), codeList0),
		"too long":  long,
		"of others": append(AppendSymbol([]byte{codeDescribed}, "com.microsoft:session-filter"), codeList0),
	} {
		if _, _, _, err := Parse(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := ParseMessage(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s as a section: error %v", name, err)
		}
	}
}
