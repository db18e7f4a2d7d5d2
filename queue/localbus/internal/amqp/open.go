package amqp

// Open is the first performative of a connection (part 2, section 2.7.1).
type Open struct {
	ContainerID  string
	Hostname     string
	MaxFrameSize Opt[uint32]
	ChannelMax   Opt[uint16]
	IdleTimeout  uint32 // milliseconds; zero: none
	Properties   Map
}

// DecodeOpen reads an open.
func DecodeOpen(f Fields) (Open, error) {
	o := Open{
		ContainerID:  f.string(),
		Hostname:     f.string(),
		MaxFrameSize: f.uint(),
		ChannelMax:   f.ushort(),
		IdleTimeout:  f.uint().Value,
	}
	for range 4 { // outgoing and incoming locales, offered and desired capabilities
		f.skip()
	}
	o.Properties = f.mapping()
	return o, f.err
}

// Append writes the frame.
func (o Open) Append(b []byte) []byte {
	f := openFrame(b, 0, CodeOpen)
	f.string(o.ContainerID)
	if o.Hostname == "" {
		f.null()
	} else {
		f.string(o.Hostname)
	}
	f.optUint(o.MaxFrameSize)
	if o.ChannelMax.Set {
		f.ushort(o.ChannelMax.Value)
	} else {
		f.null()
	}
	f.optUint(Opt[uint32]{o.IdleTimeout, o.IdleTimeout != 0})
	for range 4 {
		f.null()
	}
	f.value(o.Properties)
	return f.finish()
}

// Begin starts a session (part 2, section 2.7.2).
type Begin struct {
	RemoteChannel  Opt[uint16]
	NextOutgoingID uint32
	IncomingWindow uint32
	OutgoingWindow uint32
	HandleMax      Opt[uint32]
}

// DecodeBegin reads a begin.
func DecodeBegin(f Fields) (Begin, error) {
	b := Begin{
		RemoteChannel:  f.ushort(),
		NextOutgoingID: f.uint().Value,
		IncomingWindow: f.uint().Value,
		OutgoingWindow: f.uint().Value,
		HandleMax:      f.uint(),
	}
	return b, f.err
}

// Append writes the frame.
func (p Begin) Append(b []byte, channel uint16) []byte {
	f := openFrame(b, channel, CodeBegin)
	if p.RemoteChannel.Set {
		f.ushort(p.RemoteChannel.Value)
	} else {
		f.null()
	}
	f.uint(p.NextOutgoingID)
	f.uint(p.IncomingWindow)
	f.uint(p.OutgoingWindow)
	f.optUint(p.HandleMax)
	return f.finish()
}

// End ends a session (part 2, section 2.7.8).
type End struct{ Error *Error }

// DecodeEnd reads an end.
func DecodeEnd(f Fields) (End, error) {
	e := decodeNestedError(&f)
	return End{e}, f.err
}

// Append writes the frame.
func (e End) Append(b []byte, channel uint16) []byte {
	f := openFrame(b, channel, CodeEnd)
	f.failure(e.Error)
	return f.finish()
}

// Close ends a connection (part 2, section 2.7.9).
type Close struct{ Error *Error }

// DecodeClose reads a close.
func DecodeClose(f Fields) (Close, error) {
	e := decodeNestedError(&f)
	return Close{e}, f.err
}

// Append writes the frame.
func (c Close) Append(b []byte) []byte {
	f := openFrame(b, 0, CodeClose)
	f.failure(c.Error)
	return f.finish()
}
