package localbus

import (
	"strings"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
)

const cbsPath = "$cbs"

// connectCBS attaches a link to the node that takes tokens. A connection has
// at most one in each direction.
func (l *link) connectCBS() error {
	slot := &l.session.conn.cbs[0]
	if l.attach.Receiver {
		slot = &l.session.conn.cbs[1]
	}
	if *slot != nil && !(*slot).detached {
		return &amqp.Error{Condition: condNotAllowed, Description: "The connection has a link of this direction to $cbs already."}
	}
	*slot = l
	if l.attach.Receiver {
		l.openMailbox()
		return nil
	}
	l.openInlet(&requestSink{link: l, service: tokenService{l.session.conn}}, requestLimit, requestCredit)
	return nil
}

// tokenService answers put-token.
type tokenService struct{ conn *connection }

func (tokenService) statusKeys() (code, text string) { return "status-code", "status-description" }

func (t tokenService) serve(r request) response {
	if op := amqp.Text(r.properties.Get("operation")); op != "put-token" {
		return response{status: 501, text: "operation " + op + " is not offered", condition: condNotImplemented}
	}
	audience := amqp.Text(r.properties.Get("name"))
	text, ok := r.body.(string)
	if !ok {
		return response{status: 400, text: "put-token without a token", condition: condNotAllowed}
	}
	grant, err := t.conn.server.checker.Check(text, audience)
	if err != nil {
		return response{status: 401, text: err.Error(), condition: condUnauthorized}
	}
	path := strings.ToLower(pathOf(audience))
	if err := t.conn.server.exists(path); err != nil {
		return failure(err)
	}
	t.conn.addGrant(path, grant)
	return response{status: 202, text: "Accepted"}
}

// exists reports an error unless a token's path is that of a queue, of its
// management node or of the whole namespace.
func (s *Server) exists(path string) error {
	if hasSuffixFold(path, managementSuffix) {
		path = path[:len(path)-len(managementSuffix)]
	}
	if path == "" || path == cbsPath || path == strings.TrimPrefix(managementSuffix, "/") {
		return nil
	}
	_, err := s.broker.Open(path)
	return err
}
