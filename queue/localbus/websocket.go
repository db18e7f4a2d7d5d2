package localbus

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const webSocketPath = "/$servicebus/websocket"

// webSocketProtos are the names of AMQP as a sub-protocol: the registered one,
// and the draft's, which some SDKs still ask for.
var webSocketProtos = []string{"amqp", "AMQPWSB10"}

// serveWebSocket lets a client that can only get out by HTTP speak AMQP inside
// a WebSocket (RFC 6455). It returns when the connection is done.
func (s *Server) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	key, proto, err := webSocketKey(r)
	if err != nil {
		w.Header().Set("Sec-WebSocket-Version", "13")
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "websocket: "+err.Error(), http.StatusInternalServerError)
		return
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455, section 4.2.2
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]), proto)
	if err := rw.Flush(); err != nil {
		nc.Close()
		return
	}
	if err := s.ServeAMQP(r.Context(), &webSocket{Conn: nc, in: rw.Reader}); err != nil {
		s.config.Log.Debug("connection ended", "peer", r.RemoteAddr, "error", err)
	}
}

// webSocketKey checks the opening handshake (RFC 6455, section 4.2.1) and
// returns its key and the sub-protocol.
func webSocketKey(r *http.Request) (key, proto string, err error) {
	for _, p := range slices.Backward(webSocketProtos) {
		if hasToken(r.Header, "Sec-WebSocket-Protocol", p) {
			proto = p
		}
	}
	key = r.Header.Get("Sec-WebSocket-Key")
	nonce, err := base64.StdEncoding.DecodeString(key)
	switch {
	case r.Method != http.MethodGet || !hasToken(r.Header, "Upgrade", "websocket") || !hasToken(r.Header, "Connection", "upgrade"):
		return "", "", errors.New("websocket: no upgrade was asked for")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return "", "", errors.New("websocket: the version has to be 13")
	case err != nil || len(nonce) != 16:
		return "", "", errors.New("websocket: the key has to be 16 bytes in base64")
	case proto == "":
		return "", "", errors.New("websocket: the sub-protocol has to be amqp")
	}
	return key, proto, nil
}

// hasToken reports whether a header that is a list has an entry.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for entry := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(entry), token) {
				return true
			}
		}
	}
	return false
}

// Opcodes of frames (RFC 6455, section 5.2).
const (
	opContinue = 0x0
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xa

	maxControl = 125 // bytes in a control frame
)

// webSocket is the server's end of a WebSocket as a stream: where its messages
// begin and end does not matter. One goroutine may read while others write.
type webSocket struct {
	net.Conn
	in   *bufio.Reader
	left uint64  // bytes to come in the present frame
	mask [4]byte // of the present frame, turned so that the next byte is first

	mu  sync.Mutex // guards out, and keeps frames whole
	out []byte
}

// Read returns bytes of binary messages. Control frames are answered on the
// way; the peer's close is the end.
func (c *webSocket) Read(b []byte) (int, error) {
	for c.left == 0 {
		if err := c.nextFrame(); err != nil {
			return 0, err
		}
	}
	if uint64(len(b)) > c.left {
		b = b[:c.left]
	}
	n, err := c.in.Read(b)
	c.unmask(b[:n])
	c.left -= uint64(n)
	return n, err
}

// unmask decodes bytes (RFC 6455, section 5.3).
func (c *webSocket) unmask(b []byte) {
	for i := range b {
		b[i] ^= c.mask[i%4]
	}
	turned := c.mask
	for i := range turned {
		c.mask[i] = turned[(i+len(b))%4]
	}
}

// nextFrame reads the head of a frame, and all of a control frame.
func (c *webSocket) nextFrame() error {
	var head [2]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return err
	}
	op, size := head[0]&0x0f, uint64(head[1]&0x7f)
	if head[0]&0x70 != 0 || head[1]&0x80 == 0 {
		return errors.New("websocket: a frame with extensions or without a mask")
	}
	if op >= opClose && (size > maxControl || head[0]&0x80 == 0) {
		return errors.New("websocket: a control frame that is too long or in parts")
	}
	if err := c.frameSize(&size); err != nil {
		return err
	}
	if _, err := io.ReadFull(c.in, c.mask[:]); err != nil {
		return err
	}
	switch op {
	case opContinue, opBinary:
		c.left = size
		return nil
	case opClose, opPing, opPong:
		return c.control(op, int(size))
	}
	return fmt.Errorf("websocket: a frame with opcode %d instead of a binary one", op)
}

// frameSize reads the longer forms of a size.
func (c *webSocket) frameSize(size *uint64) error {
	long := map[uint64]int{126: 2, 127: 8}[*size]
	if long == 0 {
		return nil
	}
	b := make([]byte, 8)
	if _, err := io.ReadFull(c.in, b[8-long:]); err != nil {
		return err
	}
	*size = binary.BigEndian.Uint64(b)
	if *size>>63 != 0 {
		return errors.New("websocket: a frame of more than 63 bits")
	}
	return nil
}

// control reads a control frame and answers it.
func (c *webSocket) control(op byte, size int) error {
	b := make([]byte, size)
	if _, err := io.ReadFull(c.in, b); err != nil {
		return err
	}
	c.unmask(b)
	switch op {
	case opPing:
		return c.writeFrame(opPong, b)
	case opClose:
		_ = c.writeFrame(opClose, b[:min(len(b), 2)])
		return io.EOF
	}
	return nil
}

// Write sends b as one binary message.
func (c *webSocket) Write(b []byte) (int, error) {
	if err := c.writeFrame(opBinary, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (c *webSocket) writeFrame(op byte, b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out[:0], 0x80|op)
	switch {
	case len(b) <= maxControl:
		c.out = append(c.out, byte(len(b)))
	case len(b) <= 0xffff:
		c.out = binary.BigEndian.AppendUint16(append(c.out, 126), uint16(len(b)))
	default:
		c.out = binary.BigEndian.AppendUint64(append(c.out, 127), uint64(len(b)))
	}
	c.out = append(c.out, b...)
	_, err := c.Conn.Write(c.out)
	return err
}

// Close says goodbye and closes the connection. A write that is stuck gets
// lastWrite to end; after it there is no goodbye.
func (c *webSocket) Close() error {
	c.SetWriteDeadline(time.Now().Add(lastWrite))
	_ = c.writeFrame(opClose, []byte{0x03, 0xe8}) // 1000, normal closure
	return c.Conn.Close()
}
