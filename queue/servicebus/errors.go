package servicebus

import (
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"github.com/signmill/signmill/queue"
)

// errClosed means that the receiver, the sender or the client was closed here.
var errClosed = errors.New("closed")

// translate turns what the client reports into a *queue.Error. It is the only
// place where that happens. Nil stays nil.
func translate(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &queue.Error{Op: op, Queue: name, Kind: kindOf(err), Err: err}
}

// kindOf returns the sentinel of queue that fits err, or nil.
func kindOf(err error) error {
	if errors.Is(err, queue.ErrLockLost) {
		return queue.ErrLockLost // found out here, not by the client
	}
	if errors.Is(err, azservicebus.ErrMessageTooLarge) {
		return queue.ErrTooLarge
	}
	if ofTransport(err) {
		return nil
	}
	if e, ok := errors.AsType[*azservicebus.Error](err); ok {
		return kindOfCode[e.Code]
	}
	if e, ok := errors.AsType[*amqp.Error](err); ok {
		return kindOfCondition[e.Condition]
	}
	if _, ok := errors.AsType[nonRetriable](err); ok {
		return queue.ErrUnauthorized
	}
	return nil
}

// ofTransport reports whether err ended a connection or an AMQP session. Such
// an end says nothing about a queue or our rights, whatever its condition: the
// next connection is another one.
func ofTransport(err error) bool {
	_, connection := errors.AsType[*amqp.ConnError](err)
	_, session := errors.AsType[*amqp.SessionError](err)
	return connection || session
}

// nonRetriable marks a credential's refusal to give a token.
type nonRetriable interface {
	error
	NonRetriable()
}

// kindOfCode maps the client's codes. Its other codes (connection lost,
// timeout) are passing failures.
var kindOfCode = map[azservicebus.Code]error{
	azservicebus.CodeLockLost:           queue.ErrLockLost,
	azservicebus.CodeNotFound:           queue.ErrNotFound,
	azservicebus.CodeUnauthorizedAccess: queue.ErrUnauthorized,
}

// kindOfCondition maps the AMQP error conditions that the client passes on as
// they are. A plain receiver on a queue with sessions, for one, is "not
// allowed".
var kindOfCondition = map[amqp.ErrCond]error{
	"com.microsoft:message-lock-lost": queue.ErrLockLost,
	"com.microsoft:session-lock-lost": queue.ErrLockLost,
	"com.microsoft:entity-disabled":   queue.ErrNotFound,
	amqp.ErrCondNotFound:              queue.ErrNotFound,
	amqp.ErrCondUnauthorizedAccess:    queue.ErrUnauthorized,
	amqp.ErrCondNotAllowed:            queue.ErrUnauthorized,
	amqp.ErrCondMessageSizeExceeded:   queue.ErrTooLarge,
}

// permanent reports whether waiting does not mend err.
func permanent(err error) bool {
	return errors.Is(err, queue.ErrNotFound) || errors.Is(err, queue.ErrUnauthorized) || errors.Is(err, errClosed)
}
