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

// detachment is a pending end of the links that were there before a change.
type detachment struct {
	change broker.Change
	number int64 // counts the changes of the server
	timer  Timer
}

// changed is called by the broker when a queue was updated or deleted.
func (s *Server) changed(ch broker.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	d := &detachment{change: ch, number: s.changes.Add(1)}
	s.timers[d] = struct{}{}
	d.timer = s.config.Clock.AfterFunc(detachDelay, func() { s.detachLinks(d) })
}

func (s *Server) detachLinks(d *detachment) {
	s.mu.Lock()
	delete(s.timers, d)
	s.mu.Unlock()
	why := "was updated"
	if d.change.Deleted {
		why = "was deleted"
	}
	e := &amqp.Error{Condition: condDetachForced, Description: "The messaging entity " + d.change.Name + " " + why + "."}
	for _, c := range s.open() {
		c.post(func() { c.detachEntity(d, e) })
	}
}

// detachEntity ends the older links to a queue and to what lies under it.
func (c *connection) detachEntity(d *detachment, e *amqp.Error) {
	name := strings.ToLower(d.change.Name)
	for _, s := range c.sessions {
		for _, l := range s.links {
			path := strings.ToLower(l.path)
			if l.born < d.number && (path == name || strings.HasPrefix(path, name+"/$")) {
				l.detachWith(e)
			}
		}
	}
}
