package worker_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// fate is what becomes of a connection.
type fate struct {
	kind    fateKind
	after   int           // bytes that were written
	latency time.Duration // of what is written
	silence time.Duration // of a half-open connection, after which it is reset
}

type fateKind int

const (
	sound    fateKind = iota
	reset             // what is being written does not arrive
	lostAck           // what is being written arrives, and the answer does not
	halfOpen          // nothing arrives any more on either side, and nobody is told
)

// drawFate decides about a connection. Most last.
func drawFate(random *rand.Rand) fate {
	f := fate{after: 200 + random.IntN(20000), silence: time.Duration(random.IntN(180)) * time.Second}
	f.latency = time.Duration(max(0, random.IntN(400)-100)) * time.Millisecond
	if random.IntN(2) == 0 {
		f.kind = []fateKind{reset, lostAck, halfOpen}[random.IntN(3)]
	}
	return f
}

// errReset is what a connection ends with.
var errReset = errors.New("connection reset by peer")

// wire is a connection with a fate.
//
// The client opens and closes links under a mutex, and virtual time stands still
// as long as somebody waits for a mutex. So what opens something takes no time
// and takes along what is on its way; on a half-open connection it ends in a
// reset; and in the instant in which something is opened nothing becomes half
// open and nothing takes time.
type wire struct {
	net.Conn

	out  sync.Mutex // guards mail, and keeps the order; held while the connection takes bytes
	mail [][]byte   // on its way

	mu      sync.Mutex // guards the fields below; nothing waits under it
	fate    fate
	written int
	opened  time.Time // when something was opened or closed last
	deaf    bool      // half open
}

func (w *wire) Write(b []byte) (int, error) {
	w.out.Lock()
	defer w.out.Unlock()
	kind, latency := w.meets(b)
	switch {
	case kind == halfOpen:
		w.mail = nil
		return len(b), nil
	case kind == reset:
		w.Close()
		return 0, errReset
	case kind == lostAck:
		defer w.Close()
	case latency > 0 && isTraffic(b):
		w.mail = append(w.mail, bytes.Clone(b))
		time.AfterFunc(latency, w.deliver)
		return len(b), nil
	}
	w.flush()
	return w.Conn.Write(b)
}

// deliver lets what is on its way arrive.
func (w *wire) deliver() {
	w.out.Lock()
	defer w.out.Unlock()
	w.flush()
}

// flush does the same. The caller holds out.
func (w *wire) flush() {
	for _, b := range w.mail {
		w.Conn.Write(b) //nolint:errcheck // the next call finds the connection closed
	}
	w.mail = nil
}

// meets returns what becomes of b.
func (w *wire) meets(b []byte) (kind fateKind, latency time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written += len(b)
	opens := !isTraffic(b)
	if opens {
		w.opened = time.Now()
	}
	switch {
	case w.deaf && opens:
		return reset, 0
	case w.deaf:
		return halfOpen, 0
	case w.fate.kind == halfOpen && !time.Now().After(w.opened):
		return sound, 0 // not yet
	case w.fate.kind == sound || w.written < w.fate.after:
		return sound, w.delay()
	}
	if w.fate.kind == halfOpen {
		w.deaf = true
		time.AfterFunc(w.fate.silence, func() { w.Close() })
	}
	return w.fate.kind, 0
}

// delay returns how long a frame takes: nothing in the instant in which
// something is opened. The caller holds mu.
func (w *wire) delay() time.Duration {
	if time.Now().After(w.opened) {
		return w.fate.latency
	}
	return 0
}

// isTraffic reports whether b is a frame for which nobody waits under a mutex:
// an empty one, a flow, a transfer or a disposition. A token is a transfer that
// belongs to the opening of a link.
func isTraffic(b []byte) bool {
	if len(b) == 8 && b[0] == 0 {
		return true
	}
	return len(b) > 10 && b[5] == 0 && b[10] >= 0x13 && b[10] <= 0x15 && !bytes.Contains(b, []byte("put-token"))
}

func (w *wire) Read(b []byte) (int, error) {
	for {
		n, err := w.Conn.Read(b)
		if err != nil || !w.isDeaf() {
			return n, err
		}
	}
}

// hush makes the connection half open, and resets it after a while.
func (w *wire) hush(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fate = fate{kind: halfOpen, silence: d}
}

// heal resets the connection if it is half open, and else lets it live on.
func (w *wire) heal() {
	if w.isDeaf() {
		w.Close()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fate = fate{}
}

func (w *wire) isDeaf() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deaf
}
