package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// tap is a proxy in front of a broker that knows what passes: AMQP 1.0 frames
// (part 2, section 2.3), of which it reads as much as tells the boundaries.
type tap struct {
	*trap
	broker string
}

// listen serves until the end of the test and returns the address.
func (p *tap) listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { p.serve(ctx, conn) })
		}
	})
	t.Cleanup(func() {
		stop()
		l.Close()
		open.Wait()
	})
	return l.Addr().String()
}

// serve joins one connection of a worker with one to the broker.
func (p *tap) serve(ctx context.Context, worker net.Conn) {
	defer worker.Close()
	var dialer net.Dialer
	broker, err := dialer.DialContext(ctx, "tcp", p.broker)
	if err != nil {
		return
	}
	defer broker.Close()
	stop := context.AfterFunc(ctx, func() { worker.Close(); broker.Close() })
	defer stop()
	c := &tapped{tap: p, life: p.present(), replies: map[uint16]bool{}, jobs: map[uint16]bool{}, back: map[uint16]uint16{}}
	var ways sync.WaitGroup
	ways.Go(func() { c.carry(broker, worker, c.fromWorker) })
	ways.Go(func() { c.carry(worker, broker, c.fromBroker) })
	ways.Wait()
}

// tapped is one connection. Links are told apart by their channels, since each
// has a session of its own.
type tapped struct {
	*tap
	life int

	mu      sync.Mutex        // guards all below
	replies map[uint16]bool   // channels of the worker that send replies
	jobs    map[uint16]bool   // channels of the worker that receive jobs
	back    map[uint16]uint16 // the broker's channels to the worker's
}

// carry moves frames one way until either side ends, or the worker is dead.
func (c *tapped) carry(to, from net.Conn, judge func(frame) step) {
	defer to.Close()
	defer from.Close()
	for {
		b, err := readFrame(from)
		if err != nil {
			return
		}
		if !c.pass(c.life, judge(parseFrame(b)), func() { _, err = to.Write(b) }) || err != nil {
			return
		}
	}
}

func (c *tapped) fromWorker(f frame) step {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch f.code {
	case amqpAttach:
		receives := f.flag(2)
		c.replies[f.channel] = !receives && bytes.Contains(f.body, []byte("replies"))
		c.jobs[f.channel] = receives && bytes.Contains(f.body, []byte("jobs")) && !bytes.Contains(f.body, []byte("$"))
	case amqpTransfer:
		if c.replies[f.channel] && !f.flag(5) { // no more frames of this message
			return step{beforeReply, replySent}
		}
	case amqpDisposition:
		if c.jobs[f.channel] {
			return step{beforeComplete, completeSent}
		}
	}
	return step{}
}

func (c *tapped) fromBroker(f frame) step {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch f.code {
	case amqpBegin:
		c.back[f.channel] = uint16(f.number(0))
	case amqpDisposition:
		if channel := c.back[f.channel]; c.replies[channel] {
			return step{before: replyAcknowledged}
		} else if c.jobs[channel] {
			return step{before: completeAcknowledged}
		}
	}
	return step{}
}

// Descriptors of performatives (part 2, section 2.7).
const (
	amqpBegin       = 0x11
	amqpAttach      = 0x12
	amqpTransfer    = 0x14
	amqpDisposition = 0x15
)

// frame is what we read of one. The zero value is another kind.
type frame struct {
	channel uint16
	code    byte
	body    []byte
	fields  [][]byte // encoded, with constructors
}

// readFrame reads a frame, or a protocol header, as it is.
func readFrame(r io.Reader) ([]byte, error) {
	b := make([]byte, 8)
	if _, err := io.ReadFull(r, b); err != nil || bytes.HasPrefix(b, []byte("AMQP")) {
		return b, err
	}
	size := binary.BigEndian.Uint32(b)
	if size < 8 || size > 1<<20 {
		return nil, errors.New("no AMQP frame")
	}
	b = append(b, make([]byte, size-8)...)
	_, err := io.ReadFull(r, b[8:])
	return b, err
}

func parseFrame(b []byte) (f frame) {
	if len(b) < 12 || bytes.HasPrefix(b, []byte("AMQP")) || b[5] != 0 || int(b[4])*4+3 > len(b) {
		return f
	}
	f.channel = binary.BigEndian.Uint16(b[6:])
	body := b[int(b[4])*4:]
	if body[0] != 0 || body[1] != 0x53 {
		return f
	}
	f.code, f.body = body[2], body
	f.fields = listFields(body[3:])
	return f
}

// listFields splits the values of a list.
func listFields(b []byte) (fields [][]byte) {
	header := map[byte]int{0xc0: 3, 0xd0: 9}[b[0]] // constructor, size and count
	if header == 0 || header > len(b) {
		return nil
	}
	for b = b[header:]; len(b) > 0; {
		n := valueSize(b)
		if n == 0 || n > len(b) {
			return fields
		}
		fields, b = append(fields, b[:n]), b[n:]
	}
	return fields
}

// valueSize returns the length of the first value of b with its constructor, or
// 0 (part 1, section 1.2).
func valueSize(b []byte) int {
	switch width := b[0] >> 4; {
	case b[0] == 0 && len(b) > 1:
		descriptor := valueSize(b[1:])
		if descriptor == 0 || 1+descriptor >= len(b) {
			return 0
		}
		return 1 + descriptor + valueSize(b[1+descriptor:])
	case width >= 4 && width <= 9:
		return 1 + []int{0, 1, 2, 4, 8, 16}[width-4]
	case (width == 0xa || width == 0xc || width == 0xe) && len(b) > 1:
		return 2 + int(b[1])
	case width >= 0xb && len(b) > 4:
		return 5 + int(binary.BigEndian.Uint32(b[1:]))
	}
	return 0
}

// number returns a field that is an unsigned number.
func (f frame) number(field int) (n uint64) {
	if field < len(f.fields) {
		for _, b := range f.fields[field][1:] {
			n = n<<8 | uint64(b)
		}
	}
	return n
}

// flag returns a field that is true or false.
func (f frame) flag(field int) bool {
	return field < len(f.fields) && (f.fields[field][0] == 0x41 || f.number(field) == 1)
}
