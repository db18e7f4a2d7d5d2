package servicebus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"github.com/signmill/signmill/queue"
)

// refusal is a credential's error.
type refusal struct{}

func (refusal) Error() string { return "no such identity" }
func (refusal) NonRetriable() {}

func TestTranslate(t *testing.T) {
	t.Parallel()
	code := func(c azservicebus.Code) error { return &azservicebus.Error{Code: c} }
	condition := func(c amqp.ErrCond) error { return &amqp.Error{Condition: c} }
	tests := []struct {
		name string
		err  error
		want error // Kind
	}{
		{"lock lost", code(azservicebus.CodeLockLost), queue.ErrLockLost},
		{"not found", code(azservicebus.CodeNotFound), queue.ErrNotFound},
		{"unauthorized", code(azservicebus.CodeUnauthorizedAccess), queue.ErrUnauthorized},
		{"connection lost", code(azservicebus.CodeConnectionLost), nil},
		{"timeout", code(azservicebus.CodeTimeout), nil},
		{"closed", code(azservicebus.CodeClosed), nil},
		{"too large, found by the client", azservicebus.ErrMessageTooLarge, queue.ErrTooLarge},
		{"too large, found by the broker", condition(amqp.ErrCondMessageSizeExceeded), queue.ErrTooLarge},
		{"attach to a missing queue", condition(amqp.ErrCondNotFound), queue.ErrNotFound},
		{"attach to a disabled queue", condition("com.microsoft:entity-disabled"), queue.ErrNotFound},
		{"attach without rights", condition(amqp.ErrCondUnauthorizedAccess), queue.ErrUnauthorized},
		{"plain link on sessions", condition(amqp.ErrCondNotAllowed), queue.ErrUnauthorized},
		{"connection ended by the broker", &amqp.ConnError{RemoteErr: &amqp.Error{Condition: amqp.ErrCondNotAllowed}}, nil},
		{"AMQP session ended by the broker", &amqp.SessionError{RemoteErr: &amqp.Error{Condition: amqp.ErrCondNotFound}}, nil},
		{"message lock", condition("com.microsoft:message-lock-lost"), queue.ErrLockLost},
		{"session lock", condition("com.microsoft:session-lock-lost"), queue.ErrLockLost},
		{"session held by another", condition("com.microsoft:session-cannot-be-locked"), nil},
		{"queue is full", condition(amqp.ErrCondResourceLimitExceeded), nil},
		{"server busy", condition("com.microsoft:server-busy"), nil},
		{"internal error", condition(amqp.ErrCondInternalError), nil},
		{"credential refuses", refusal{}, queue.ErrUnauthorized},
		{"found out here", fmt.Errorf("%w: link is gone", queue.ErrLockLost), queue.ErrLockLost},
		{"end of stream", io.EOF, nil},
		{"cancelled", context.Canceled, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cause := fmt.Errorf("step: %w", test.err)
			got := translate("send", "jobs", cause)
			e, ok := errors.AsType[*queue.Error](got)
			if !ok || e.Op != "send" || e.Queue != "jobs" || e.Kind != test.want {
				t.Fatalf("got %#v, want kind %v", got, test.want)
			}
			if !errors.Is(got, test.err) {
				t.Errorf("cause is gone from %v", got)
			}
		})
	}
	if err := translate("send", "jobs", nil); err != nil {
		t.Errorf("nil: got %v, want nil", err)
	}
}
