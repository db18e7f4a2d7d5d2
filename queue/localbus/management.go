package localbus

import (
	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

const managementSuffix = "/$management"

// connectManagement attaches a link to the node that manages a queue.
func (l *link) connectManagement() error {
	if err := l.authorize(l.path, token.All); err != nil {
		return err
	}
	q, err := l.session.conn.server.broker.Open(l.path[:len(l.path)-len(managementSuffix)])
	if err != nil {
		return err
	}
	if l.attach.Receiver {
		l.openMailbox()
		return nil
	}
	l.openInlet(&requestSink{link: l, service: &manager{link: l, queue: q}}, requestLimit, requestCredit)
	return nil
}

// manager answers the requests on one queue.
type manager struct {
	link  *link
	queue *broker.Queue
}

// call is one request to a manager.
type call struct {
	*manager
	args       amqp.Map
	associated string // name of the link that the request belongs to, "" for none
}

// operation is one entry of the table of operations.
type operation struct {
	rights Rights
	run    func(call) (amqp.Map, error)
}

// operations has the operations of section "messaging" of the Service Bus
// request-response protocol.
var operations = map[string]operation{
	"com.microsoft:renew-lock":                 {token.Listen, call.renewLock},
	"com.microsoft:peek-message":               {token.Listen, call.peek},
	"com.microsoft:receive-by-sequence-number": {token.Listen, call.receiveDeferred},
	"com.microsoft:update-disposition":         {token.Listen, call.updateDisposition},
	"com.microsoft:schedule-message":           {token.Send, call.schedule},
	"com.microsoft:cancel-scheduled-message":   {token.Send, call.cancelScheduled},
	"com.microsoft:renew-session-lock":         {token.Listen, call.renewSession},
	"com.microsoft:get-session-state":          {token.Listen, call.sessionState},
	"com.microsoft:set-session-state":          {token.Listen, call.setSessionState},
	"com.microsoft:get-message-sessions":       {token.Listen, call.listSessions},
	"com.microsoft:batch-delete-messages":      {token.Listen, call.deleteMessages},
}

func (*manager) statusKeys() (code, text string) { return "statusCode", "statusDescription" }

func (m *manager) serve(r request) response {
	c := m.link.session.conn
	if c.server.faults.busy.hit() {
		return response{status: 503, text: textServerBusy, condition: condServerBusy}
	}
	name := amqp.Text(r.properties.Get("operation"))
	op, ok := operations[name]
	if !ok {
		return response{status: 501, text: "operation " + name + " is not offered", condition: condNotImplemented}
	}
	if !c.server.config.OpenAccess && !c.grants.allow(m.link.path, op.rights, c.now()) {
		e := unauthorized(m.link.path, op.rights)
		return response{status: 401, text: e.Description, condition: e.Condition}
	}
	args, _ := r.body.(amqp.Map)
	associated := amqp.Text(r.properties.Get("associated-link-name"))
	c.touch(associated)
	body, err := op.run(call{manager: m, args: args, associated: associated})
	if err != nil {
		return failure(err)
	}
	if body == nil {
		return response{status: 200, text: "OK", body: amqp.Map{}}
	}
	if empty(body) {
		return response{status: 204, text: "No Content"}
	}
	return response{status: 200, text: "OK", body: body}
}

// empty reports whether a listing has nothing in it.
func empty(body amqp.Map) bool {
	for _, e := range body {
		switch v := e.Value.(type) {
		case []any:
			return len(v) == 0
		case amqp.Array:
			return len(v.Items) == 0
		}
	}
	return false
}

// invalid is an error about an argument.
func (c call) invalid(detail string) error {
	return &broker.Error{Op: "management", Queue: c.queue.Path(), Kind: broker.Invalid, Detail: detail}
}

// tokens returns the lock tokens of a request.
func (c call) tokens() ([]broker.Token, error) {
	var tokens []broker.Token
	for _, v := range amqp.List(c.args.Get("lock-tokens")) {
		u, ok := v.(amqp.UUID)
		if !ok {
			return nil, c.invalid("lock-tokens holds something that is not a uuid")
		}
		tokens = append(tokens, broker.Token(u))
	}
	if len(tokens) == 0 {
		return nil, c.invalid("lock-tokens is missing")
	}
	return tokens, nil
}

// numbers returns the sequence numbers of a request.
func (c call) numbers() ([]int64, error) {
	var numbers []int64
	for _, v := range amqp.List(c.args.Get("sequence-numbers")) {
		n, ok := amqp.Int(v)
		if !ok {
			return nil, c.invalid("sequence-numbers holds something that is not a number")
		}
		numbers = append(numbers, n)
	}
	if len(numbers) == 0 {
		return nil, c.invalid("sequence-numbers is missing")
	}
	return numbers, nil
}

// int returns a whole number, def if it is missing or of another type.
func (c call) int(key string, def int64) int64 {
	if n, ok := amqp.Int(c.args.Get(key)); ok {
		return n
	}
	return def
}

func (c call) renewLock() (amqp.Map, error) {
	tokens, err := c.tokens()
	if err != nil {
		return nil, err
	}
	ends, err := c.queue.Renew(tokens...)
	if err != nil {
		return nil, err
	}
	list := amqp.Array{Code: amqp.ArrayOfTimestamp}
	for _, t := range ends {
		list.Items = append(list.Items, amqp.TimestampOf(t))
	}
	return amqp.Map{{Key: "expirations", Value: list}}, nil
}

func (c call) updateDisposition() (amqp.Map, error) {
	tokens, err := c.tokens()
	if err != nil {
		return nil, err
	}
	properties, _ := c.args.Get("properties-to-modify").(amqp.Map)
	s := broker.Settlement{Modify: modifications(properties)}
	switch status := amqp.Text(c.args.Get("disposition-status")); status {
	case "completed":
		s = broker.Settlement{Outcome: broker.Complete}
	case "abandoned":
		s.Outcome = broker.Abandon
	case "defered", "deferred":
		s.Outcome = broker.Defer
	case "suspended":
		s.Outcome = broker.DeadLetter
		s.Reason = amqp.Text(c.args.Get("deadletter-reason"))
		s.Description = amqp.Text(c.args.Get("deadletter-description"))
	default:
		return nil, c.invalid("disposition-status " + status)
	}
	return nil, c.queue.Settle(s, tokens...)
}
