package amqp

import (
	"encoding/hex"
	"errors"
	"reflect"
	"testing"
)

// parse returns the fields of a frame and checks its header.
func parse(t *testing.T, b []byte, want byte) (Fields, []byte) {
	t.Helper()
	h, err := ParseFrameHeader(b, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	if int(h.Size) != len(b) {
		t.Fatalf("size %d, want %d", h.Size, len(b))
	}
	code, f, payload, err := Parse(b[h.Offset:])
	if err != nil || code != want {
		t.Fatalf("code 0x%02x, want 0x%02x, error %v", code, want, err)
	}
	return f, payload
}

func TestGoldenFrames(t *testing.T) {
	t.Parallel()
	accepted := State{Code: CodeAccepted}
	transfer := Transfer{Handle: 1, DeliveryID: Some[uint32](2), DeliveryTag: []byte{9}, MessageFormat: Some[uint32](0), Settled: Some(false), More: true}
	disposition := Disposition{Receiver: true, First: 3, Last: Some[uint32](5), Settled: true, State: accepted}
	tests := []struct {
		name string
		got  []byte
		want string
	}{
		{"empty", AppendEmptyFrame(nil), "0000000802000000"},
		{"open", Open{ContainerID: "c", MaxFrameSize: Some[uint32](512), ChannelMax: Some[uint16](3), IdleTimeout: 1000}.Append(nil),
			"0000001f02000000 005310 c0 12 05 a10163 40 7000000200 600003 70000003e8"},
		{"begin", Begin{RemoteChannel: Some[uint16](1), NextOutgoingID: 1, IncomingWindow: 5000, OutgoingWindow: 5000, HandleMax: Some[uint32](255)}.Append(nil, 7),
			"0000001f02000007 005311 c0 12 05 600001 5201 7000001388 7000001388 52ff"},
		{"end", End{}.Append(nil, 1), "0000000c02000001 005317 45"},
		{"close", Close{Error: &Error{Condition: "a:b", Description: "d"}}.Append(nil),
			"0000001d02000000 005318 c0 10 01 00531d c0 0a 03 a303613a62 a10164 40"},
		{"transfer", transfer.Append(nil, 0, []byte{0xca, 0xfe}), "0000001a02000000 005314 c0 0b 06 5201 5202 a00109 43 42 41 cafe"},
		{"disposition", disposition.Append(nil, 0), "0000001802000000 005315 c0 0b 05 41 5203 5205 41 005324 45"},
		{"detach", Detach{Handle: 1, Closed: true}.Append(nil, 0), "0000001102000000 005316 c0 04 02 5201 41"},
		{"sasl mechanisms", SASLMechanisms{"PLAIN"}.Append(nil), "0000002102010000 005340 c0 14 01 f00000000e00000001b300000005504c41494e"},
		{"sasl outcome", SASLAuth.Append(nil), "0000001002010000 005344 c0 03 01 5001"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := unhex(t, tt.want)
			if string(tt.got) != string(want) {
				t.Errorf("got  %s\nwant %s", hex.EncodeToString(tt.got), hex.EncodeToString(want))
			}
		})
	}
}

func TestPerformativesComeBack(t *testing.T) {
	t.Parallel()
	fault := &Error{Condition: "amqp:not-found", Description: "gone", Info: Map{{Symbol("k"), "v"}}}
	open := Open{ContainerID: "me", Hostname: "host:1", MaxFrameSize: Some[uint32](65536), ChannelMax: Some[uint16](9), IdleTimeout: 30000, Properties: Map{{Symbol("p"), true}}}
	f, _ := parse(t, open.Append(nil), CodeOpen)
	check(t, open)(DecodeOpen(f))

	begin := Begin{NextOutgoingID: 4, IncomingWindow: 5, OutgoingWindow: 6, HandleMax: Some[uint32](7)}
	f, _ = parse(t, begin.Append(nil, 3), CodeBegin)
	check(t, begin)(DecodeBegin(f))

	source := NewTerminus(CodeSource, "queue").WithFilter(Map{{Symbol("f"), Described{uint64(0x137000000C), "s"}}})
	attach := Attach{
		Name: "l", Handle: 1, Receiver: true, SenderSettleMode: Some(SenderMixed), ReceiverSettleMode: Some(ReceiverSecond),
		Source: source, Target: &Terminus{Code: CodeTarget}, InitialDeliveryCount: Some[uint32](0), MaxMessageSize: 1 << 20, Properties: Map{{Symbol("x"), int64(5)}},
	}
	f, _ = parse(t, attach.Append(nil, 0), CodeAttach)
	check(t, attach)(DecodeAttach(f))

	flow := Flow{NextIncomingID: Some[uint32](1), IncomingWindow: 2, NextOutgoingID: 3, OutgoingWindow: 4, Handle: Some[uint32](5), DeliveryCount: Some[uint32](6), LinkCredit: Some[uint32](0), Drain: true}
	f, _ = parse(t, flow.Append(nil, 0), CodeFlow)
	check(t, flow)(DecodeFlow(f))

	transfer := Transfer{Handle: 1, DeliveryID: Some[uint32](0), DeliveryTag: []byte{}, MessageFormat: Some[uint32](0x80013700), Settled: Some(true), State: State{Code: CodeModified, UndeliverableHere: true, Annotations: Map{{Symbol("a"), "b"}}}, Aborted: true}
	f, payload := parse(t, transfer.Append(nil, 0, []byte("body")), CodeTransfer)
	check(t, transfer)(DecodeTransfer(f))
	if string(payload) != "body" {
		t.Errorf("payload %q", payload)
	}

	disposition := Disposition{First: 1, State: State{Code: CodeRejected, Error: fault}}
	f, _ = parse(t, disposition.Append(nil, 0), CodeDisposition)
	check(t, disposition)(DecodeDisposition(f))

	detach := Detach{Handle: 300, Closed: true, Error: fault}
	f, _ = parse(t, detach.Append(nil, 0), CodeDetach)
	check(t, detach)(DecodeDetach(f))

	f, _ = parse(t, End{fault}.Append(nil, 0), CodeEnd)
	check(t, End{fault})(DecodeEnd(f))
	f, _ = parse(t, Close{}.Append(nil), CodeClose)
	check(t, Close{})(DecodeClose(f))
}

func check[T any](t *testing.T, want T) func(T, error) {
	return func(got T, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, error %v, want %+v", got, err, want)
		}
	}
}

func TestParseFrameHeaderRefuses(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]string{
		"short":        "00000008",
		"too large":    "00010001 02000000",
		"smaller than": "00000007 02000000",
		"offset 1":     "00000010 01000000",
		"offset over":  "00000010 05000000",
		"type":         "00000010 02020000",
	} {
		if _, err := ParseFrameHeader(unhex(t, h), 1<<16); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestFieldsRefuseWrongTypes(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"handle is a string":      "005316 c0 04 01 a10161",
		"handle does not fit":     "005316 c0 0a 01 80 0000000100000000",
		"closed is a number":      "005316 c0 04 02 43 5201",
		"error is not an error":   "005316 c0 07 03 43 41 005324 45",
		"list ends early":         "005316 c0 02 03 43",
		"descriptor is too large": "0080000000ff00000010 45",
		"not a list":              "005316 a100",
	} {
		_, f, _, err := Parse(unhex(t, body))
		if err == nil {
			_, err = DecodeDetach(f)
		}
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestTransferHeaderBound(t *testing.T) {
	t.Parallel()
	big := uint32(1<<32 - 1)
	tr := Transfer{Handle: big, DeliveryID: Some(big), DeliveryTag: make([]byte, 32), MessageFormat: Some(big), Settled: Some(true), More: true, Aborted: true}
	if n := len(tr.Append(nil, 65535, nil)); n > MaxTransferHeader {
		t.Errorf("header takes %d bytes, bound %d", n, MaxTransferHeader)
	}
}

func TestHotPathAllocates(t *testing.T) {
	buf := make([]byte, 0, 4096)
	tr := Transfer{Handle: 1, DeliveryID: Some[uint32](2), DeliveryTag: make([]byte, 16), MessageFormat: Some[uint32](0), Settled: Some(false)}
	d := Disposition{Receiver: true, First: 1, Settled: true, State: State{Code: CodeAccepted}}
	payload := make([]byte, 100)
	got := testing.AllocsPerRun(100, func() {
		b := d.Append(tr.Append(buf[:0], 1, payload), 1)
		_, f, _, err := Parse(b[HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeTransfer(f); err != nil {
			t.Fatal(err)
		}
	})
	if got > 0 {
		t.Errorf("%v allocations for a transfer and a disposition, want 0", got)
	}
}
