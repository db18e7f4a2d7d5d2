package queue

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestErrorUnwrapsToKindAndCause(t *testing.T) {
	t.Parallel()
	cause := fmt.Errorf("link: %w", context.Canceled)
	tests := []struct {
		name string
		err  *Error
		is   []error
		not  []error
	}{
		{
			"with kind",
			&Error{Op: "complete", Queue: "jobs", Kind: ErrLockLost, Err: cause},
			[]error{ErrLockLost, cause, context.Canceled},
			[]error{ErrSettled, ErrNotFound},
		},
		{
			"passing",
			&Error{Op: "receive", Queue: "jobs", Err: cause},
			[]error{cause, context.Canceled},
			[]error{ErrSettled, ErrLockLost, ErrTooLarge, ErrNotFound, ErrUnauthorized},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wrapped := fmt.Errorf("settle: %w", test.err)
			for _, want := range test.is {
				if !errors.Is(wrapped, want) {
					t.Errorf("errors.Is(%v): got false, want true", want)
				}
			}
			for _, other := range test.not {
				if errors.Is(wrapped, other) {
					t.Errorf("errors.Is(%v): got true, want false", other)
				}
			}
			if got, ok := errors.AsType[*Error](wrapped); !ok || got != test.err {
				t.Errorf("errors.AsType: got %v, %v, want the error", got, ok)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	err := &Error{Op: "send", Queue: "replies", Kind: ErrTooLarge, Err: errors.New("300000 bytes")}
	if got, want := err.Error(), "send on queue replies: 300000 bytes"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
