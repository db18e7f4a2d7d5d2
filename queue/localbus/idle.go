package localbus

import (
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// watch looks at the link again when it may have been idle for too long.
func (l *link) watch(after time.Duration) {
	c := l.session.conn
	l.idle = c.server.config.Clock.AfterFunc(after, func() { c.post(l.checkIdle) })
}

// checkIdle detaches the link if it was not used for the time that the
// configuration allows.
func (l *link) checkIdle() {
	if l.detached {
		return
	}
	c := l.session.conn
	left := c.server.config.LinkIdle - c.now().Sub(l.lastUse)
	if left > 0 {
		l.watch(left)
		return
	}
	l.detachWith(&amqp.Error{Condition: condDetachForced, Description: "The link was idle for too long."})
}

// watchIdle looks at the connection again when it may have been without links
// for too long.
func (c *connection) watchIdle(after time.Duration) {
	c.idle = c.server.config.Clock.AfterFunc(after, func() { c.post(c.checkIdle) })
}

// checkIdle closes the connection if it has had no link for the time that the
// configuration allows.
func (c *connection) checkIdle() {
	if c.closing {
		return
	}
	for _, s := range c.sessions {
		for _, l := range s.links {
			if !l.detached {
				c.lastLink = c.now()
			}
		}
	}
	if left := c.server.config.ConnectionIdle - c.now().Sub(c.lastLink); left > 0 {
		c.watchIdle(left)
		return
	}
	c.closeWith(forced("The connection had no links for too long."))
}
