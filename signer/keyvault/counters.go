package keyvault

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/signmill/signmill/schema"
)

// Names of what a [Client] counts with Config.Meter, and of the attributes.
const (
	// MetricCalls counts calls to vaults, each attempt once, by AttributeOperation
	// and AttributeOutcome. The SDK's own first question of a vault, which
	// carries no token, is not counted.
	MetricCalls = "signmill.vault.calls"

	// MetricCallsSaved counts what was done without a call, by
	// AttributeOperation: verify, encrypt and wrapKey with a public key, and
	// getPublicKey, which is a Resolve that was answered from the cache or
	// with another caller's answer.
	MetricCallsSaved = "signmill.vault.calls.saved"

	// AttributeOperation is the operation, by schema's names. Reading a key
	// is getPublicKey; the life of keys has words of its own, such as create.
	AttributeOperation = "signmill.operation"

	// AttributeOutcome is "ok", or the code of the failure from schema's
	// vocabulary.
	AttributeOutcome = "signmill.outcome"
)

// counters counts calls made and calls saved.
type counters struct {
	calls, saved metric.Int64Counter
	savedBy      map[schema.Operation]metric.AddOption // made once: saving is what must be cheap
}

func newCounters(meter metric.Meter) (counters, error) {
	if meter == nil {
		meter = noop.Meter{}
	}
	calls, err := meter.Int64Counter(MetricCalls, metric.WithUnit("{call}"), metric.WithDescription("Calls to vaults, each attempt once"))
	saved, err2 := meter.Int64Counter(MetricCallsSaved, metric.WithUnit("{call}"), metric.WithDescription("Operations that were done without a call"))
	c := counters{calls, saved, map[schema.Operation]metric.AddOption{}}
	for _, operation := range schema.Operations() {
		c.savedBy[operation] = metric.WithAttributeSet(attribute.NewSet(attribute.String(AttributeOperation, string(operation))))
	}
	return c, errors.Join(err, err2)
}

// call counts one call; code is empty when it succeeded.
func (c counters) call(ctx context.Context, operation schema.Operation, code schema.Code) {
	if code == "" {
		code = "ok"
	}
	c.calls.Add(ctx, 1, metric.WithAttributes(
		attribute.String(AttributeOperation, string(operation)), attribute.String(AttributeOutcome, string(code))))
}

func (c counters) save(ctx context.Context, operation schema.Operation) {
	c.saved.Add(ctx, 1, c.savedBy[operation])
}
