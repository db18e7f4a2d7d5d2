package main

import (
	"sync"
)

// boundary is a moment in the life of a job, seen from outside of the worker.
type boundary string

// The boundaries, in their order.
const (
	beforeSign           boundary = "before sign"           // the vault did not get the request
	afterSign            boundary = "after sign"            // the vault has signed, and its answer did not arrive
	beforeReply          boundary = "before reply"          // the reply is made, and the broker did not get it
	replySent            boundary = "reply sent"            // the broker has it, and its acknowledgement did not arrive
	replyAcknowledged    boundary = "reply acknowledged"    // the acknowledgement is at the door
	beforeComplete       boundary = "before complete"       // the broker did not get the settlement of the job
	completeSent         boundary = "complete sent"         // the broker has it, and its acknowledgement did not arrive
	completeAcknowledged boundary = "complete acknowledged" // the acknowledgement is at the door
)

func boundaries() []boundary {
	return []boundary{beforeSign, afterSign, beforeReply, replySent, replyAcknowledged, beforeComplete, completeSent, completeAcknowledged}
}

// trap stands between a worker and its servers, and kills the worker when a
// boundary is reached for the n-th time. Nothing passes from then on until it
// is set for the next worker.
type trap struct {
	mu     sync.Mutex // guards all below, and is held while something passes
	life   int        // counts workers
	at     boundary
	left   int
	kill   func() // returns when the worker is gone; nil: there is none
	sprung chan struct{}
}

// set waits for the n-th time that a boundary is reached. The returned channel
// is closed once the worker is gone.
func (t *trap) set(at boundary, n int, kill func()) (sprung <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at, t.left, t.kill, t.sprung = at, n, kill, make(chan struct{})
	t.life++
	return t.sprung
}

// spring kills the worker wherever it is.
func (t *trap) spring() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.strike()
}

// strike kills the worker. The caller holds mu.
func (t *trap) strike() {
	if t.kill != nil {
		t.kill()
		t.kill = nil
		close(t.sprung)
	}
}

// present returns the number of the present worker.
func (t *trap) present() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.life
}

// step is something that passes. Either boundary may be "".
type step struct{ before, after boundary }

// pass lets a step of the worker of a life through, and reports whether that
// worker is still alive.
func (t *trap) pass(life int, s step, through func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kill == nil || t.life != life {
		return false
	}
	if t.reached(s.before) {
		t.strike()
		return false
	}
	through()
	if t.reached(s.after) {
		t.strike()
	}
	return t.kill != nil
}

// reached counts a boundary. The caller holds mu.
func (t *trap) reached(b boundary) bool {
	if b == "" || b != t.at {
		return false
	}
	t.left--
	return t.left == 0
}
