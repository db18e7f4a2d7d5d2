package localbus

import (
	"errors"
	"io"
	"net"
	"os"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// Error conditions of AMQP (part 2, section 2.8.15 on) and of Service Bus.
const (
	condInternal       amqp.Symbol = "amqp:internal-error"
	condDecode         amqp.Symbol = "amqp:decode-error"
	condNotFound       amqp.Symbol = "amqp:not-found"
	condNotAllowed     amqp.Symbol = "amqp:not-allowed"
	condNotImplemented amqp.Symbol = "amqp:not-implemented"
	condUnauthorized   amqp.Symbol = "amqp:unauthorized-access"
	condFull           amqp.Symbol = "amqp:resource-limit-exceeded"
	condForced         amqp.Symbol = "amqp:connection:forced"
	condFraming        amqp.Symbol = "amqp:connection:framing-error"
	condWindow         amqp.Symbol = "amqp:session:window-violation"
	condHandleInUse    amqp.Symbol = "amqp:session:handle-in-use"
	condUnattached     amqp.Symbol = "amqp:session:unattached-handle"
	condDetachForced   amqp.Symbol = "amqp:link:detach-forced"
	condOverCredit     amqp.Symbol = "amqp:link:transfer-limit-exceeded"
	condTooLarge       amqp.Symbol = "amqp:link:message-size-exceeded"

	condTimeout         amqp.Symbol = "com.microsoft:timeout"
	condServerBusy      amqp.Symbol = "com.microsoft:server-busy"
	condEntityDisabled  amqp.Symbol = "com.microsoft:entity-disabled"
	condLockLost        amqp.Symbol = "com.microsoft:message-lock-lost"
	condSessionLockLost amqp.Symbol = "com.microsoft:session-lock-lost"
	condSessionLocked   amqp.Symbol = "com.microsoft:session-cannot-be-locked"
	condDeadLetter      amqp.Symbol = "com.microsoft:dead-letter"
	condMessageNotFound amqp.Symbol = "com.microsoft:message-not-found"
)

// Texts on which clients rely.
const (
	textLockLost       = "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue."
	textSessionLost    = "The session lock has expired on the session. Accept the session again."
	textNeedsSession   = "It is not possible for an entity that requires sessions to create a non-sessionful message receiver."
	textNoSession      = "A session receiver cannot be created on an entity that does not require sessions."
	textMessageNeedsID = "The entity requires sessions and the message has no session id."
	textServerBusy     = "The server is busy. Try again later."
)

// forced is the reason for a close by the server.
func forced(why string) *amqp.Error {
	return &amqp.Error{Condition: condForced, Description: why}
}

// protocolError turns the error that ended a reader into the reason of a
// close, nil for none.
func protocolError(err error) *amqp.Error {
	if e, ok := errors.AsType[*amqp.Error](err); ok {
		return e
	}
	switch {
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed):
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return forced("the connection was idle for too long")
	case errors.Is(err, amqp.ErrMalformed):
		return &amqp.Error{Condition: condFraming, Description: err.Error()}
	}
	return nil
}

// verdict is how a kind of broker error looks to a client.
type verdict struct {
	condition amqp.Symbol
	status    int32  // on a management link
	text      string // "": the error's own
}

// verdicts has one entry for each kind; others are internal errors.
var verdicts = map[broker.Kind]verdict{
	broker.NotFound:        {condNotFound, 404, ""},
	broker.Exists:          {condNotAllowed, 409, ""},
	broker.Invalid:         {condNotAllowed, 400, ""},
	broker.Disabled:        {condEntityDisabled, 403, ""},
	broker.Full:            {condFull, 403, ""},
	broker.TooLarge:        {condTooLarge, 403, ""},
	broker.LockLost:        {condLockLost, 410, textLockLost},
	broker.MessageNotFound: {condMessageNotFound, 404, ""},
	broker.SessionRequired: {condNotAllowed, 400, textMessageNeedsID},
	broker.SessionRefused:  {condNotAllowed, 400, textNoSession},
	broker.SessionLocked:   {condSessionLocked, 410, ""},
	broker.SessionLockLost: {condSessionLockLost, 410, textSessionLost},
	broker.Timeout:         {condTimeout, 408, ""},
	broker.Closed:          {condInternal, 500, ""},
	broker.NoRandom:        {condInternal, 500, ""},
}

// condition translates an error for a link; an AMQP error stays as it is.
func condition(err error) *amqp.Error {
	if e, ok := errors.AsType[*amqp.Error](err); ok {
		return e
	}
	v := verdictOn(err)
	return &amqp.Error{Condition: v.condition, Description: v.text}
}

func verdictOn(err error) verdict {
	v, ok := verdicts[broker.KindOf(err)]
	if !ok {
		v = verdict{condInternal, 500, ""}
		if errors.Is(err, amqp.ErrMalformed) {
			v = verdict{condDecode, 400, ""}
		}
	}
	if e, ok := errors.AsType[*broker.Error](err); ok && e.Kind == broker.NotFound {
		v.text = "The messaging entity '" + e.Queue + "' could not be found."
	}
	if v.text == "" {
		v.text = err.Error()
	}
	return v
}
