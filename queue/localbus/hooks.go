package localbus

import (
	"strings"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// DropConnections ends all present connections without a word, as a broken
// network would. It does not wait for them.
func (s *Server) DropConnections() {
	for _, c := range s.open() {
		c.drop()
	}
}

// LoseLocks ends the locks of all messages of a queue that are with clients,
// as if they had expired, and returns how many there were. The queue's
// dead-letter queue is another queue.
func (s *Server) LoseLocks(queue string) int {
	n := 0
	for _, c := range s.open() {
		n += c.loseLocks(queue)
	}
	return n
}

func (c *connection) loseLocks(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, s := range c.sessions {
		for _, u := range s.unsettled {
			q, ok := u.outlet.node.(*queueSource)
			if ok && strings.EqualFold(q.queue.Path(), pathOf(path)) && q.queue.LoseLock(broker.Token(u.token)) == nil {
				n++
			}
		}
	}
	return n
}

// detachDelay lies between a change of a queue and the end of its links, so
// that the answer to the request for the change arrives first.
const detachDelay = 250 * time.Millisecond

// detachment is a pending end of the links that were there before a change. A
// queue that is made anew under the same name keeps its own.
type detachment struct {
	timer Timer
	queue string // in lower case
	cause *amqp.Error
	mark  int64 // the server's number of changes, this one included
}

// changed is called by the broker when a queue was updated or deleted.
func (s *Server) changed(ch broker.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	why := "was updated"
	if ch.Deleted {
		why = "was deleted"
	}
	d := &detachment{
		queue: strings.ToLower(ch.Name),
		cause: &amqp.Error{Condition: condDetachForced, Description: "The messaging entity " + ch.Name + " " + why + "."},
		mark:  s.changes.Add(1),
	}
	s.timers[d] = struct{}{}
	d.timer = s.config.Clock.AfterFunc(detachDelay, func() { s.detachLinks(d) })
}

func (s *Server) detachLinks(d *detachment) {
	s.mu.Lock()
	delete(s.timers, d)
	s.mu.Unlock()
	for _, c := range s.open() {
		c.post(func() { c.detachEntity(d) })
	}
}

// detachEntity ends the links to a queue and to what lies under it.
func (c *connection) detachEntity(d *detachment) {
	for _, s := range c.sessions {
		for _, l := range s.links {
			path := strings.ToLower(l.path)
			if l.change < d.mark && (path == d.queue || strings.HasPrefix(path, d.queue+"/$")) {
				l.detachWith(d.cause)
			}
		}
	}
}
