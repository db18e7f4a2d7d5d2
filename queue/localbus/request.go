package localbus

import (
	"math"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

const (
	requestLimit  = 2 << 20 // bytes of one request
	requestCredit = 100
	maxPending    = 1000 // responses that wait for credit on one link

	// maxWaiting is how many bytes of responses may wait on one connection
	// when one more is asked for.
	maxWaiting = 64 << 20
)

// request is a message to $cbs or $management.
type request struct {
	id         any // of the message; the response's correlation id
	replyTo    string
	properties amqp.Map
	body       any
}

// response is the answer to a request.
type response struct {
	status    int32
	text      string
	condition amqp.Symbol // of a failure, "" for none
	body      amqp.Map    // nil for none
}

// failure is the response for an error.
func failure(err error) response {
	v := verdictOn(err)
	return response{status: v.status, text: v.text, condition: v.condition}
}

// service answers requests.
type service interface {
	serve(r request) response

	// statusKeys are the names of the properties for status and text.
	statusKeys() (code, text string)
}

// requestSink is the node that takes requests.
type requestSink struct {
	link    *link
	service service
}

func (n *requestSink) close() {}

// receive answers a request through the mailbox that it names.
func (n *requestSink) receive(p parcel) amqp.State {
	r, err := parseRequest(p.payload)
	if err != nil {
		return rejected(condition(err))
	}
	box := n.link.session.mailbox(n.link.path, r.replyTo)
	if box == nil {
		return rejected(&amqp.Error{Condition: condNotFound, Description: "there is no receiving link for the response"})
	}
	if len(box.pending) >= maxPending || n.link.session.conn.waiting > maxWaiting {
		return rejected(&amqp.Error{Condition: condFull, Description: "too many responses wait for credit"})
	}
	box.put(n.encode(r.id, n.service.serve(r)))
	return amqp.State{Code: amqp.CodeAccepted}
}

func parseRequest(b []byte) (request, error) {
	s, err := amqp.ParseMessage(b)
	if err != nil {
		return request{}, err
	}
	p, err := amqp.DecodeProperties(s.Properties)
	if err != nil {
		return request{}, err
	}
	r := request{id: p.MessageID, replyTo: p.ReplyTo}
	if s.ApplicationProperties != nil {
		v, _, err := amqp.Decode(s.ApplicationProperties)
		if err != nil {
			return r, err
		}
		r.properties, _ = v.(amqp.Map)
	}
	r.body, err = s.Value()
	return r, err
}

func (n *requestSink) encode(id any, r response) []byte {
	code, text := n.service.statusKeys()
	b := amqp.AppendResponseProperties(nil, id)
	w := amqp.OpenMap(b, amqp.ApplicationProperties)
	w.String(code, r.status)
	w.String(text, r.text)
	if r.condition != "" {
		w.String("errorCondition", r.condition)
	}
	var body any
	if r.body != nil {
		body = r.body
	}
	return amqp.AppendValueBody(w.Close(), body)
}

// mailbox is the node behind a link that carries responses.
type mailbox struct {
	link    *link
	pending [][]byte
}

// openMailbox attaches a link for responses.
func (l *link) openMailbox() {
	l.accept(l.attach.Source, math.MaxUint64, nil)
	l.openOutlet(&mailbox{link: l})
}

func (m *mailbox) put(b []byte) {
	m.pending = append(m.pending, b)
	m.link.session.conn.waiting += len(b)
	m.link.out.markReady()
}

func (m *mailbox) next([]byte, int) (message, bool, error) {
	if len(m.pending) == 0 {
		return message{}, false, nil
	}
	return message{encoded: m.pending[0]}, true, nil
}

func (m *mailbox) left(message) {
	m.link.session.conn.waiting -= len(m.pending[0])
	m.pending[0] = nil
	m.pending = m.pending[1:]
}

func (*mailbox) pause() {}

func (m *mailbox) close() {
	for _, b := range m.pending {
		m.link.session.conn.waiting -= len(b)
	}
	m.pending = nil
}

// mailbox finds the link for the response to a request on a path. Clients
// name it by its target address, by its link name, or not at all: then it is
// the one for the same path on the same session.
func (s *session) mailbox(path, replyTo string) *mailbox {
	if replyTo != "" {
		for _, other := range s.conn.sessions {
			for _, l := range other.links {
				if m := l.mailbox(); m != nil && (l.attach.Target.Address() == replyTo || l.attach.Name == replyTo) {
					return m
				}
			}
		}
	}
	for _, l := range s.links {
		if m := l.mailbox(); m != nil && l.path == path {
			return m
		}
	}
	return nil
}

func (l *link) mailbox() *mailbox {
	if l.out == nil {
		return nil
	}
	m, _ := l.out.node.(*mailbox)
	return m
}
