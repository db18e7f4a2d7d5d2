package keyvault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// final is an error with the SDK's mark for failures of authentication.
type final struct{ error }

func (final) NonRetriable() {}

func answered(status int, header ...string) error {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &azcore.ResponseError{StatusCode: status, RawResponse: &http.Response{StatusCode: status, Header: h}}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name    string
		err     error
		attempt int // zero means 1; 4 is the last
		again   bool
		floor   time.Duration
	}{
		{name: "429", err: answered(429), again: true},
		{name: "429 wrapped", err: fmt.Errorf("call: %w", answered(429)), again: true},
		{name: "429 before the last", err: answered(429), attempt: 3, again: true},
		{name: "429 at the last", err: answered(429), attempt: 4},
		{name: "429 with seconds", err: answered(429, "Retry-After", "7"), again: true, floor: 7 * time.Second},
		{name: "429 with a date", err: answered(429, "Retry-After", "Tue, 24 Nov 2026 12:00:05 GMT"), again: true, floor: 5 * time.Second},
		{name: "429 with a date that has passed", err: answered(429, "Retry-After", "Tue, 24 Nov 2026 11:00:00 GMT"), again: true},
		{name: "429 with milliseconds", err: answered(429, "retry-after-ms", "1500", "Retry-After", "7"), again: true, floor: 1500 * time.Millisecond},
		{name: "429 with x-ms milliseconds", err: answered(429, "x-ms-retry-after-ms", "250", "Retry-After", "7"), again: true, floor: 250 * time.Millisecond},
		{name: "429 with nonsense", err: answered(429, "Retry-After", "soon", "retry-after-ms", "-3"), again: true},
		{name: "429 with a minute", err: answered(429, "Retry-After", "60"), again: true, floor: time.Minute},
		{name: "429 with more than a minute", err: answered(429, "Retry-After", "61"), floor: 61 * time.Second},
		{name: "429 with a number beyond all clocks", err: answered(429, "Retry-After", "99999999999999999999999"), floor: 24 * time.Hour},
		{name: "429 with years of milliseconds", err: answered(429, "retry-after-ms", "9223372036854775807"), floor: 24 * time.Hour},
		{name: "408", err: answered(408), again: true},
		{name: "500", err: answered(500), again: true},
		{name: "502", err: answered(502), again: true},
		{name: "503 with a hint", err: answered(503, "Retry-After", "2"), again: true, floor: 2 * time.Second},
		{name: "504", err: answered(504), again: true},
		{name: "301", err: answered(301)},
		{name: "400", err: answered(400)},
		{name: "401", err: answered(401)},
		{name: "403", err: answered(403)},
		{name: "404", err: answered(404)},
		{name: "409", err: answered(409)},
		{name: "connection lost", err: io.ErrUnexpectedEOF, again: true},
		{name: "connection lost at the last", err: io.ErrUnexpectedEOF, attempt: 4},
		{name: "no token", err: final{errors.New("no token")}},
		{name: "no token, wrapped", err: fmt.Errorf("get: %w", final{errors.New("no token")})},
		{name: "cancelled", err: fmt.Errorf("call: %w", context.Canceled)},
		{name: "deadline", err: fmt.Errorf("call: %w", context.DeadlineExceeded)},
		{name: "integrity", err: &signer.Error{Code: schema.CodeIntegrity}},
	}
	retry := Retry{Attempts: 4}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			again, floor := retry.decide(test.err, max(1, test.attempt), now)
			if again != test.again || floor != test.floor {
				t.Errorf("decide = %t, %s; want %t, %s", again, floor, test.again, test.floor)
			}
		})
	}
}

// TestWaitsHaveFullJitter looks at the spread of the n-th wait: between
// nothing and Base x 2^(n-1), evenly, and never above Cap.
func TestWaitsHaveFullJitter(t *testing.T) {
	t.Parallel()
	const draws = 2000
	retry := Retry{Base: time.Second, Cap: 5 * time.Second}
	for n, longest := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second} {
		var sum, least, most time.Duration = 0, time.Hour, 0
		for range draws {
			waits := retry.waits()
			for range n {
				waits.NextBackOff()
			}
			wait := waits.NextBackOff()
			sum, least, most = sum+wait, min(least, wait), max(most, wait)
		}
		mean := sum / draws
		if most > longest+1 || most < longest*9/10 || least > longest/10 || mean < longest*45/100 || mean > longest*55/100 {
			t.Errorf("wait %d: least %s, mean %s, most %s; want an even spread up to %s", n+1, least, mean, most, longest)
		}
	}
}
