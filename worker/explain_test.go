package worker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// TestExplain picks the error that the log names: the first that may pass, or
// else the first.
func TestExplain(t *testing.T) {
	t.Parallel()
	final := &signer.Error{Code: schema.CodeForbidden, Message: "final"}
	later := &signer.Error{Code: schema.CodeKeyNotFound, Message: "later"}
	throttled := &signer.Error{Code: schema.CodeThrottled, Message: "throttled"}
	tests := []struct {
		name    string
		errs    []error
		passing bool
		cause   error
	}{
		{"none", []error{nil, nil}, false, nil},
		{"final ones", []error{nil, final, later}, false, final},
		{"a passing one after a final one", []error{final, throttled, later}, true, throttled},
		{"two passing ones", []error{nil, throttled, context.Canceled}, true, throttled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			results := make([]schema.ItemResult, len(tt.errs))
			passing, cause := explain(results, tt.errs, time.Time{})
			if passing != tt.passing || !errors.Is(cause, tt.cause) {
				t.Errorf("got passing %v and cause %v, want %v and %v", passing, cause, tt.passing, tt.cause)
			}
			for i, err := range tt.errs {
				if (results[i].Error != nil) != (err != nil) {
					t.Errorf("item %d has error %v, want one for %v", i, results[i].Error, err)
				}
			}
		})
	}
}
