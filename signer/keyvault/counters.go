package keyvault

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/instrument"
)

// Names of what a [Client] counts with Config.Meter, and of the attributes.
const (
	// MetricCalls counts calls to vaults, each attempt once, by AttributeOperation,
	// AttributeKey and AttributeOutcome. The SDK's own first question of a vault, which
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

	// AttributeKey is the key's name in its vault.
	AttributeKey = "signmill.key.name"

	// AttributeOutcome is "ok", or the code of the failure from schema's
	// vocabulary.
	AttributeOutcome = "signmill.outcome"
)

// Metrics describes what a [Client] counts.
func Metrics() []instrument.Row {
	return []instrument.Row{
		{Name: MetricCalls, Kind: instrument.Counter, Unit: "{call}", About: "Calls to vaults, each attempt once; outcome throttled is a 429",
			Attributes: []string{AttributeOperation, AttributeKey, AttributeOutcome}},
		{Name: MetricCallsSaved, Kind: instrument.Counter, Unit: "{call}", About: "Operations that were done without a call, with a public key or from the cache",
			Attributes: []string{AttributeOperation}},
	}
}

// counters counts calls made and calls saved.
type counters struct {
	on           bool // there is a meter
	calls, saved metric.Int64Counter
	savedBy      map[schema.Operation]metric.AddOption // made once: saving is what must be cheap
}

func newCounters(meter metric.Meter) (counters, error) {
	m := instrument.New(meter, Metrics())
	c := counters{meter != nil, m.Counter(MetricCalls), m.Counter(MetricCallsSaved), map[schema.Operation]metric.AddOption{}}
	for _, operation := range schema.Operations() {
		c.savedBy[operation] = metric.WithAttributeSet(attribute.NewSet(attribute.String(AttributeOperation, string(operation))))
	}
	return c, m.Err()
}

// call counts one call; code is empty when it succeeded.
func (c counters) call(ctx context.Context, operation schema.Operation, key string, code schema.Code) {
	if !c.on {
		return // attributes cost something
	}
	if code == "" {
		code = "ok"
	}
	c.calls.Add(ctx, 1, metric.WithAttributes(
		attribute.String(AttributeOperation, string(operation)), attribute.String(AttributeKey, key), attribute.String(AttributeOutcome, string(code))))
}

func (c counters) save(ctx context.Context, operation schema.Operation) {
	c.saved.Add(ctx, 1, c.savedBy[operation])
}
