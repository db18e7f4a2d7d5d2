package amqp

// Flow carries windows and credit (part 2, section 2.7.4).
type Flow struct {
	NextIncomingID Opt[uint32]
	IncomingWindow uint32
	NextOutgoingID uint32
	OutgoingWindow uint32
	Handle         Opt[uint32] // absent: the flow concerns the session only
	DeliveryCount  Opt[uint32]
	LinkCredit     Opt[uint32]
	Available      Opt[uint32]
	Drain          bool
	Echo           bool
}

// DecodeFlow reads a flow.
func DecodeFlow(f Fields) (Flow, error) {
	v := Flow{
		NextIncomingID: f.uint(),
		IncomingWindow: f.uint().Value,
		NextOutgoingID: f.uint().Value,
		OutgoingWindow: f.uint().Value,
		Handle:         f.uint(),
		DeliveryCount:  f.uint(),
		LinkCredit:     f.uint(),
		Available:      f.uint(),
		Drain:          f.bool(),
		Echo:           f.bool(),
	}
	return v, f.err
}

// Append writes the frame.
func (v Flow) Append(b []byte, channel uint16) []byte {
	f := openFrame(b, channel, CodeFlow)
	f.optUint(v.NextIncomingID)
	f.uint(v.IncomingWindow)
	f.uint(v.NextOutgoingID)
	f.uint(v.OutgoingWindow)
	f.optUint(v.Handle)
	f.optUint(v.DeliveryCount)
	f.optUint(v.LinkCredit)
	f.optUint(v.Available)
	f.flag(v.Drain)
	f.flag(v.Echo)
	return f.finish()
}

// Transfer carries a message or a part of one (part 2, section 2.7.5). Its
// payload follows the performative.
type Transfer struct {
	Handle        uint32
	DeliveryID    Opt[uint32]
	DeliveryTag   []byte
	MessageFormat Opt[uint32]
	Settled       Opt[bool]
	More          bool
	State         State
	Aborted       bool
}

// DecodeTransfer reads a transfer.
func DecodeTransfer(f Fields) (Transfer, error) {
	t := Transfer{
		Handle:        f.uint().Value,
		DeliveryID:    f.uint(),
		DeliveryTag:   f.bytes(),
		MessageFormat: f.uint(),
	}
	if f.left > 0 && len(f.d.b) > 0 {
		t.Settled.Set = f.d.b[0] != codeNull
	}
	t.Settled.Value = f.bool()
	t.More = f.bool()
	f.ubyte() // rcv-settle-mode
	t.State = decodeNestedState(&f)
	f.skip() // resume
	t.Aborted = f.bool()
	return t, f.err
}

// Append writes the frame with its payload.
func (t *Transfer) Append(b []byte, channel uint16, payload []byte) []byte {
	f := openFrame(b, channel, CodeTransfer)
	f.uint(t.Handle)
	f.optUint(t.DeliveryID)
	f.binary(t.DeliveryTag)
	f.optUint(t.MessageFormat)
	if t.Settled.Set {
		f.bool(t.Settled.Value)
	} else {
		f.null()
	}
	f.flag(t.More)
	f.null()
	f.state(t.State)
	f.null()
	f.flag(t.Aborted)
	return f.finishWith(payload)
}

// MaxTransferHeader is the most that a transfer without a state takes beside
// its payload, given a delivery tag of up to 32 bytes.
const MaxTransferHeader = 80

// Disposition tells the fate of deliveries First to Last (part 2, section
// 2.7.6).
type Disposition struct {
	Receiver bool // role of the one who writes the frame
	First    uint32
	Last     Opt[uint32] // absent: First
	Settled  bool
	State    State
}

// DecodeDisposition reads a disposition.
func DecodeDisposition(f Fields) (Disposition, error) {
	d := Disposition{Receiver: f.bool(), First: f.uint().Value, Last: f.uint(), Settled: f.bool()}
	d.State = decodeNestedState(&f)
	return d, f.err
}

// Append writes the frame.
func (d *Disposition) Append(b []byte, channel uint16) []byte {
	f := openFrame(b, channel, CodeDisposition)
	f.bool(d.Receiver)
	f.uint(d.First)
	f.optUint(d.Last)
	f.flag(d.Settled)
	f.state(d.State)
	return f.finish()
}
