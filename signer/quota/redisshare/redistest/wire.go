package redistest

import (
	"net"
	"sync"
	"time"
)

// wire carries bytes between a client and the store, late.
type wire struct {
	store          *Store
	name           string
	client, server net.Conn
	once           sync.Once
	over           chan struct{}
}

// parcel is what was written at once.
type parcel struct {
	bytes []byte
	due   time.Time
}

// run starts the two directions. They end with the connection.
func (w *wire) run() {
	go w.carry(w.client, w.server)
	go w.carry(w.server, w.client)
}

func (w *wire) close() {
	w.once.Do(func() {
		close(w.over)
		_ = w.client.Close()
		_ = w.server.Close()
		w.store.mu.Lock()
		defer w.store.mu.Unlock()
		delete(w.store.wires, w)
	})
}

// carry reads from one side what the other gets later.
func (w *wire) carry(from, to net.Conn) {
	defer w.close()
	parcels := make(chan parcel, 1024)
	defer close(parcels)
	go w.deliver(to, parcels)
	last := time.Now()
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		due := time.Now()
		if w.store.delay != nil {
			due = due.Add(w.store.delay())
		}
		if due.Before(last) {
			due = last
		}
		last = due
		parcels <- parcel{buffer[:n], due}
	}
}

// deliver writes each parcel when it is due, and later if the client is cut off.
func (w *wire) deliver(to net.Conn, parcels <-chan parcel) {
	for p := range parcels {
		if !w.wait(time.Until(p.due)) || !w.passable() {
			continue
		}
		if _, err := to.Write(p.bytes); err != nil {
			w.close()
		}
	}
}

func (w *wire) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.over:
		return false
	}
}

// passable waits until the client is not cut off; false: the wire ended before.
func (w *wire) passable() bool { return w.store.passable(w.over, w.name) }
