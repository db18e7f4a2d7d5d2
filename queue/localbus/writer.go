package localbus

import (
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// write is the writer goroutine: it gathers frames and writes them in as few
// calls as it can, until the connection is closing or the peer is gone.
func (c *connection) write() {
	defer close(c.gone)
	defer c.nc.Close()
	var spare []byte
	alive := time.NewTimer(c.keepalive)
	defer alive.Stop()
	if c.keepalive == 0 {
		alive.Stop()
	}
	for {
		select {
		case <-c.wake:
		case <-alive.C:
			c.mu.Lock()
			c.out = amqp.AppendEmptyFrame(c.out)
			c.mu.Unlock()
		}
		for {
			frames, more := c.gather(spare)
			if len(frames) > 0 {
				if _, err := c.nc.Write(frames); err != nil || !more {
					c.abort()
					return
				}
				if c.keepalive > 0 {
					alive.Reset(c.keepalive)
				}
			} else if !more {
				return
			}
			spare = frames[:0]
			if len(frames) == 0 {
				break
			}
		}
	}
}

// gather returns the frames to write; more is false if they are the last.
func (c *connection) gather(spare []byte) (frames []byte, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing { // else release runs the inbox: nothing follows the close
		c.runInbox()
	}
	if !c.closing {
		c.pump()
	}
	frames = c.out
	if c.cut > 0 && c.cut < len(frames) {
		frames = frames[:c.cut]
		c.closing = true
	}
	if idle := c.server.config.IdleTimeout; idle > 0 && !c.closing {
		c.nc.SetWriteDeadline(time.Now().Add(2 * idle)) // hangUp, under mu too, sets a closer one
	}
	c.out = spare
	c.room.Broadcast()
	return frames, !c.closing
}

// abort keeps the reader from waiting for a writer that is gone.
func (c *connection) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	c.room.Broadcast()
}

// pump lets the ready links send, each a little, until out is full.
func (c *connection) pump() {
	for len(c.ready) > 0 && len(c.out) < highWater && !c.closing {
		o := c.ready[0]
		c.ready = c.ready[:copy(c.ready, c.ready[1:])]
		o.ready = false
		o.pump()
	}
}
