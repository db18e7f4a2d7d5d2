package servicebus

import (
	"context"
	"sync/atomic"
)

// door lets calls on a link pass side by side while it works, and one by one
// until it is open and while it fails. So the client opens it once, and a
// hundred settlements that find the broker gone do not ask for connections a
// hundred times as often as one.
type door struct {
	single chan struct{} // holds an element while a call passes alone
	broken atomic.Bool   // or not open yet
}

// newDoor returns the door of a link that is not open yet.
func newDoor() *door {
	d := &door{single: make(chan struct{}, 1)}
	d.broken.Store(true)
	return d
}

// pass runs call, and learns from its outcome whether the link works. It
// returns the context's error when that ends before the call's turn.
func (d *door) pass(ctx context.Context, call func(context.Context) error) error {
	if !d.isBroken() {
		return d.learn(ctx, call(ctx))
	}
	select {
	case d.single <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !d.isBroken() {
		<-d.single
		return d.learn(ctx, call(ctx))
	}
	defer func() { <-d.single }()
	return d.learn(ctx, call(ctx))
}

// learn takes any answer of the broker, a refusal too, as a sign that the link
// works. A call that its caller cancelled tells nothing.
func (d *door) learn(ctx context.Context, err error) error {
	switch {
	case err == nil || kindOf(err) != nil:
		d.set(false)
	case ctx.Err() == nil:
		d.set(true)
	}
	return err
}

// set writes only what changes, because every call comes by.
func (d *door) set(broken bool) {
	if d.broken.Load() != broken {
		d.broken.Store(broken)
	}
}

func (d *door) isBroken() bool { return d.broken.Load() }
