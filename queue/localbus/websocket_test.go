package localbus

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// frame builds a client's frame.
func frame(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := []byte{1, 2, 3, 4}
	b = append(b, mask...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

// stubConn takes writes.
type stubConn struct {
	net.Conn
	out bytes.Buffer
}

func (c *stubConn) Write(b []byte) (int, error) { return c.out.Write(b) }

func readSocket(in []byte) (data []byte, answers string, err error) {
	nc := &stubConn{}
	c := &webSocket{Conn: nc, in: bufio.NewReader(bytes.NewReader(in))}
	data, err = io.ReadAll(c)
	return data, nc.out.String(), err
}

func TestWebSocketReads(t *testing.T) {
	t.Parallel()
	long, longer := strings.Repeat("0123456789", 30), strings.Repeat("abcdefg", 10000)
	tests := []struct {
		name          string
		in            [][]byte
		data, answers string
	}{
		{"one message", [][]byte{frame(0x82, "hello")}, "hello", ""},
		{"in parts", [][]byte{frame(0x02, "hel"), frame(0x80, "lo")}, "hello", ""},
		{"ping between parts", [][]byte{frame(0x02, "hel"), frame(0x89, "hi"), frame(0x80, "lo")}, "hello", "\x8a\x02hi"},
		{"pong", [][]byte{frame(0x8a, "hi"), frame(0x82, "x")}, "x", ""},
		{"empty message", [][]byte{frame(0x82, ""), frame(0x82, "x")}, "x", ""},
		{"two lengths", [][]byte{frame(0x82, long), frame(0x82, longer)}, long + longer, ""},
		{"close", [][]byte{frame(0x82, "x"), frame(0x88, "\x03\xe8bye"), frame(0x82, "y")}, "x", "\x88\x02\x03\xe8"},
		{"close without a code", [][]byte{frame(0x88, "")}, "", "\x88\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data, answers, err := readSocket(bytes.Join(tt.in, nil))
			if err != nil || string(data) != tt.data || answers != tt.answers {
				t.Errorf("got %q, answers %q, error %v", data, answers, err)
			}
		})
	}
}

func TestWebSocketRefusesFrames(t *testing.T) {
	t.Parallel()
	for name, in := range map[string][]byte{
		"text":              frame(0x81, "x"),
		"reserved bit":      frame(0xc2, "x"),
		"unknown opcode":    frame(0x83, "x"),
		"no mask":           {0x82, 0x05, 'h', 'e', 'l', 'l', 'o', '!'},
		"ping in parts":     frame(0x09, "x"),
		"long ping":         frame(0x89, strings.Repeat("x", 126)),
		"64 bits":           {0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4},
		"ends in the size":  {0x82, 0xfe, 0},
		"ends in the mask":  {0x82, 0x81, 0},
		"ends in a control": {0x89, 0x82, 1, 2, 3, 4, 0},
	} {
		if data, _, err := readSocket(in); err == nil || len(data) > 0 {
			t.Errorf("%s: got %q, error %v", name, data, err)
		}
	}
}

func TestWebSocketWrites(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 125, 126, 0xffff, 0x10000} {
		nc := &stubConn{}
		c := &webSocket{Conn: nc}
		payload := strings.Repeat("x", n)
		if got, err := io.WriteString(c, payload); got != n || err != nil {
			t.Errorf("%d: wrote %d, error %v", n, got, err)
		}
		head := map[int]string{0: "\x82\x00", 125: "\x82\x7d", 126: "\x82\x7e\x00\x7e", 0xffff: "\x82\x7e\xff\xff", 0x10000: "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"}[n]
		if got := nc.out.String(); got != head+payload {
			t.Errorf("%d: got %q...", n, got[:min(len(got), 12)])
		}
	}
}

func TestWebSocketHandshake(t *testing.T) {
	t.Parallel()
	s, err := New(Config{OpenAccess: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tests := []struct{ name, header, value string }{
		{"no upgrade", "Upgrade", ""},
		{"other upgrade", "Upgrade", "h2c"},
		{"no connection", "Connection", "keep-alive"},
		{"old version", "Sec-WebSocket-Version", "8"},
		{"short key", "Sec-WebSocket-Key", "c2hvcnQ="},
		{"other protocol", "Sec-WebSocket-Protocol", "mqtt"},
	}
	for _, tt := range tests {
		r := upgrade()
		r.Header.Set(tt.header, tt.value)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: got %d %s", tt.name, w.Code, w.Body)
		}
	}
}

// upgrade returns the example request of RFC 6455, section 1.3.
func upgrade() *http.Request {
	r := httptest.NewRequest("GET", "/$servicebus/websocket", nil)
	for name, value := range map[string]string{
		"Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "other, amqp",
	} {
		r.Header.Set(name, value)
	}
	return r
}

// The answer names the sub-protocol that was asked for.
func TestWebSocketSubProtocols(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{"amqp": "amqp", "AMQPWSB10": "AMQPWSB10", "AMQPWSB10, amqp": "amqp"} {
		r := upgrade()
		r.Header.Set("Sec-WebSocket-Protocol", asked)
		if _, got, err := webSocketKey(r); got != want || err != nil {
			t.Errorf("%s: got %q, error %v", asked, got, err)
		}
	}
}

func TestAMQPInsideAWebSocket(t *testing.T) {
	t.Parallel()
	s, err := New(Config{OpenAccess: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context(), l) }()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := upgrade().Write(nc); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(nc)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := answer.Header
	if answer.StatusCode != 101 || h.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || h.Get("Sec-WebSocket-Protocol") != "amqp" {
		t.Fatalf("got %s %v", answer.Status, h)
	}
	const header = "AMQP\x00\x01\x00\x00"
	nc.Write(frame(0x82, header))
	b := make([]byte, 10)
	if _, err := io.ReadFull(in, b); err != nil || string(b) != "\x82\x08"+header {
		t.Errorf("got %q, error %v", b, err)
	}
	s.Close() // ends the connection and Serve
	if err := <-done; err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(in); err != nil || !bytes.HasSuffix(rest, []byte("\x88\x02\x03\xe8")) {
		t.Errorf("got %q, error %v, want the frame that closes", rest, err)
	}
}

func FuzzWebSocketRead(f *testing.F) {
	f.Add(bytes.Join([][]byte{frame(0x02, "hel"), frame(0x89, "hi"), frame(0x80, "lo")}, nil))
	f.Add([]byte{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, in []byte) {
		if data, answers, _ := readSocket(in); len(data)+len(answers) > len(in) {
			t.Errorf("%d bytes became %d and %d", len(in), len(data), len(answers))
		}
	})
}
