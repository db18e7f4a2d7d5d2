package amqp

import "encoding/binary"

// Descriptors of performatives, SASL frames and their parts.
const (
	CodeOpen        byte = 0x10
	CodeBegin       byte = 0x11
	CodeAttach      byte = 0x12
	CodeFlow        byte = 0x13
	CodeTransfer    byte = 0x14
	CodeDisposition byte = 0x15
	CodeDetach      byte = 0x16
	CodeEnd         byte = 0x17
	CodeClose       byte = 0x18

	CodeSASLMechanisms byte = 0x40
	CodeSASLInit       byte = 0x41
	CodeSASLOutcome    byte = 0x44

	codeError byte = 0x1d
)

// Types of frames.
const (
	FrameAMQP byte = 0
	FrameSASL byte = 1
)

// HeaderSize is the length of a frame header and of a protocol header.
const HeaderSize = 8

// Protocol headers (part 2, section 2.2 and part 5, section 5.3.2).
const (
	ProtocolAMQP = "AMQP\x00\x01\x00\x00"
	ProtocolSASL = "AMQP\x03\x01\x00\x00"
)

// FrameHeader is the fixed part of a frame.
type FrameHeader struct {
	Size    uint32 // of the whole frame
	Offset  int    // where the body starts, from the start of the frame
	Type    byte
	Channel uint16
}

// ParseFrameHeader reads the first HeaderSize bytes of a frame. It refuses
// frames larger than limit before anything is allocated for them.
func ParseFrameHeader(b []byte, limit uint32) (FrameHeader, error) {
	if len(b) < HeaderSize {
		return FrameHeader{}, malformed("frame header of %d bytes", len(b))
	}
	h := FrameHeader{
		Size:    binary.BigEndian.Uint32(b),
		Offset:  4 * int(b[4]),
		Type:    b[5],
		Channel: binary.BigEndian.Uint16(b[6:]),
	}
	switch {
	case h.Size > limit:
		return h, malformed("frame of %d bytes, limit %d", h.Size, limit)
	case h.Offset < HeaderSize || uint32(h.Offset) > h.Size:
		return h, malformed("frame of %d bytes with data offset %d", h.Size, h.Offset)
	case h.Type > FrameSASL:
		return h, malformed("frame type %d", h.Type)
	}
	return h, nil
}

// Parse opens the body of a frame: the performative's code, its fields and
// the payload behind it.
func Parse(body []byte) (code byte, fields Fields, payload []byte, err error) {
	d := newDecoder(body)
	code, fields, err = d.openList()
	return code, fields, d.b, err
}

// AppendEmptyFrame writes a frame without a body, which keeps a connection
// alive.
func AppendEmptyFrame(b []byte) []byte {
	return append(b, 0, 0, 0, HeaderSize, 2, FrameAMQP, 0, 0)
}

// frame is a frame under construction: its performative is a composite.
type frame struct {
	composite
	at int // where the frame starts
}

func openFrame(b []byte, channel uint16, code byte) frame {
	at := len(b)
	b = append(b, 0, 0, 0, 0, 2, FrameAMQP, byte(channel>>8), byte(channel))
	return frame{composite: openComposite(b, code), at: at}
}

func openSASL(b []byte, code byte) frame {
	f := openFrame(b, 0, code)
	f.b[f.at+5] = FrameSASL
	return f
}

func (f *frame) finish() []byte { return f.finishWith(nil) }

func (f *frame) finishWith(payload []byte) []byte {
	b := append(f.end(), payload...)
	binary.BigEndian.PutUint32(b[f.at:], uint32(len(b)-f.at))
	return b
}
