package localbus

import (
	"context"
	"strings"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

// link is one attached link, or one that we have detached and whose detach by
// the peer is outstanding. Exactly one of in and out is set while it lives.
type link struct {
	session  *session
	handle   uint32 // the same number in both directions
	attach   amqp.Attach
	path     string // of the entity, without scheme, host and slashes at the ends
	answered bool   // we have sent attach
	detached bool   // we have sent detach and ignore all but the peer's
	lastUse  time.Time
	change   int64      // the server's number of changes when the link began
	rights   Rights     // one of them must be granted while the link lives; zero: none
	cancel   func()     // ends the wait for a session; nil: there is none
	early    *amqp.Flow // credit that came before the link was answered
	idle     Timer      // of the check for idleness; nil: there is none
	in       *inlet
	out      *outlet
}

// Limits of what a connection may keep here.
const (
	maxAttach = 16 << 10 // bytes of one attach
	maxLinks  = 5000
)

// links counts the links of the connection.
func (c *connection) links() (n int) {
	for _, s := range c.sessions {
		n += len(s.links)
	}
	return n
}

// attach joins a link to the session or refuses it.
func (s *session) attach(ctx context.Context, f amqp.Fields) error {
	if f.Len() > maxAttach || s.conn.links() >= maxLinks {
		return &amqp.Error{Condition: condFull, Description: "the attach is too large or the connection has too many links"}
	}
	a, err := amqp.DecodeAttach(f)
	if err != nil {
		return err
	}
	if a.Handle > handleMax || s.links[a.Handle] != nil {
		return &amqp.Error{Condition: condHandleInUse, Description: "handle is in use or too high"}
	}
	l := &link{session: s, handle: a.Handle, attach: a, lastUse: s.conn.now(), change: s.conn.server.changes.Load()}
	s.links[a.Handle] = l
	if limit := s.conn.server.config.LinkIdle; limit > 0 {
		l.watch(limit)
	}
	if err := l.connect(ctx); err != nil {
		l.refuse(condition(err))
	}
	return nil
}

// connect finds the node that the link asks for.
func (l *link) connect(ctx context.Context) error {
	if l.session.conn.server.faults.refuse.hit() {
		return &amqp.Error{Condition: condServerBusy, Description: textServerBusy}
	}
	t := l.attach.Target
	if l.attach.Receiver {
		t = l.attach.Source
	}
	if t == nil || t.Code == amqp.CodeCoordinator || t.Dynamic() {
		return &amqp.Error{Condition: condNotImplemented, Description: "transactions and dynamic addresses are not offered"}
	}
	l.path = pathOf(t.Address())
	switch {
	case l.path == cbsPath:
		return l.connectCBS()
	case hasSuffixFold(l.path, managementSuffix):
		return l.connectManagement()
	case l.attach.Receiver:
		return l.connectReceiver(ctx)
	}
	return l.connectSender()
}

// accept answers the attach. The source may differ from the peer's.
func (l *link) accept(source *amqp.Terminus, maxSize uint64, properties amqp.Map) {
	a := l.attach
	a.Receiver = !a.Receiver
	a.Source = source
	a.MaxMessageSize = maxSize
	a.Properties = properties
	a.InitialDeliveryCount = amqp.Opt[uint32]{Set: !a.Receiver}
	if !a.SenderSettleMode.Set {
		a.SenderSettleMode = amqp.Some(amqp.SenderUnsettled)
	}
	if !a.ReceiverSettleMode.Set {
		a.ReceiverSettleMode = amqp.Some(amqp.ReceiverFirst)
	}
	l.answered = true
	c := l.session.conn
	c.out = a.Append(c.out, l.session.channel)
}

// refuse answers the attach with one that has neither source nor target, and
// detaches.
func (l *link) refuse(e *amqp.Error) {
	l.answerEmpty()
	l.detachWith(e)
}

// answerEmpty answers the attach with one that stands for no link.
func (l *link) answerEmpty() {
	a := l.attach
	a.Receiver = !a.Receiver
	a.Source, a.Target, a.Properties = nil, nil, nil
	a.InitialDeliveryCount = amqp.Opt[uint32]{Set: !a.Receiver}
	l.answered = true
	c := l.session.conn
	c.out = a.Append(c.out, l.session.channel)
}

// detachWith ends the link because of an error; one that still waits for its
// answer is refused.
func (l *link) detachWith(e *amqp.Error) {
	switch {
	case l.detached || l.session.ended:
		return
	case !l.answered:
		l.refuse(e)
		return
	}
	l.session.flushReplies()
	l.free()
	c := l.session.conn
	c.out = amqp.Detach{Handle: l.handle, Closed: true, Error: e}.Append(c.out, l.session.channel)
}

// free gives back what the link holds and marks it as detached.
func (l *link) free() {
	l.detached = true
	l.session.conn.lastLink = l.session.conn.now()
	if l.cancel != nil {
		l.cancel()
	}
	if l.idle != nil {
		l.idle.Stop()
	}
	if l.in != nil {
		l.in.takePart()
		l.in.node.close()
		l.in = nil
	}
	if l.out != nil {
		l.out.free()
		l.out = nil
	}
}

// detach ends a link at the peer's wish, or takes its answer to ours.
func (s *session) detach(f amqp.Fields) error {
	d, err := amqp.DecodeDetach(f)
	if err != nil {
		return err
	}
	l := s.links[d.Handle]
	if l == nil {
		return &amqp.Error{Condition: condUnattached, Description: "detach of an unknown handle"}
	}
	if !l.detached {
		s.flushReplies()
		if !l.answered {
			l.answerEmpty()
		}
		l.free()
		s.conn.out = amqp.Detach{Handle: d.Handle, Closed: d.Closed}.Append(s.conn.out, s.channel)
	}
	delete(s.links, d.Handle)
	return nil
}

// flow takes credit, or news of a sender.
func (l *link) flow(v amqp.Flow) {
	switch {
	case l.detached:
	case l.out != nil:
		l.out.flow(v)
	case l.in == nil:
		l.early = &v
	case v.Echo:
		l.in.tellCredit()
	}
}

// pathOf returns the path of an address: without scheme and host, and without
// slashes at the ends.
func pathOf(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		_, address, _ = strings.Cut(rest, "/")
	}
	return strings.Trim(address, "/")
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
