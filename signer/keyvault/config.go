package keyvault

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/signer/quota"
)

// Config says how a [Client] reaches its vaults. Only Credential is required.
type Config struct {
	// Credential gets the tokens; one for all vaults. It may be nil only
	// when Local is set, and then only plain http vaults can be used.
	Credential azcore.TokenCredential

	// Transport carries the requests. nil: a transport of the client's own
	// that keeps Concurrency idle connections to each vault, speaks HTTP/2
	// where the vault does, and takes its proxy from the environment. One
	// that is given belongs to the caller.
	Transport http.RoundTripper

	// Concurrency is the number of calls that will be in flight at most.
	// It limits nothing but the idle connections that are kept. Zero: 64.
	Concurrency int

	// CacheFor bounds the age of a version's attributes: enabled, dates,
	// key_ops. Its public key is kept as long as there is room. Zero: 5
	// minutes.
	CacheFor time.Duration

	// LatestFor bounds the age of the answer to "which version is the
	// latest", and so the time until a rotation is followed. Zero: 5 minutes.
	LatestFor time.Duration

	// RefuseFor is how long a refused Resolve (not found, forbidden,
	// unusable) is answered without asking again. Zero: 10 seconds.
	RefuseFor time.Duration

	Retry Retry // bounds of the retries; the zero value is ready for use

	// Gate returns the gate that paces the calls of a class to the vault with
	// a base URL. It is asked for each operation and must be quick. A call
	// that is throttled goes through it again, without a wait of Retry's on
	// top. nil, or a nil gate: calls are not paced.
	Gate func(vault string, class quota.Class) *quota.Gate

	// Costs returns the price list of the vault with a base URL. It is asked
	// for each operation and must be quick. nil: the documented list.
	Costs func(vault string) quota.Costs

	// Domains are DNS domains under which vaults may live besides those of
	// Azure's clouds, for instance "vault.example.org". They receive tokens.
	Domains []string

	// Local admits vaults on loopback hosts (localhost, *.localhost,
	// 127.0.0.1, ::1), on any port, and there neither asks for TLS nor
	// that the challenge names the vault's own domain. A plain http vault
	// gets no token.
	Local bool

	Log *slog.Logger // nil: nothing is logged

	// Meter counts calls made and calls saved, as [MetricCalls] and
	// [MetricCallsSaved]. nil: nothing is counted.
	Meter metric.Meter

	// Tracer makes a span for each request, below a span that is recorded.
	// nil: there are none.
	Tracer trace.Tracer
}

// Retry bounds how a call is repeated after throttling, 408, 5xx or a broken
// connection. The n-th wait is drawn evenly between zero and Base x 2^(n-1),
// at most Cap; the vault's own hint, where it gives one, comes on top.
type Retry struct {
	Attempts int           // calls at most, the first included; zero: 8
	Base     time.Duration // longest first wait; zero: 1 second
	Cap      time.Duration // longest wait without a hint; zero: 16 seconds
	Timeout  time.Duration // end of one attempt; zero: 30 seconds
}

// check returns one error that lists all faults.
func (c Config) check() error {
	var faults []error
	if c.Credential == nil && !c.Local {
		faults = append(faults, errors.New("no Credential is given"))
	}
	for name, d := range map[string]time.Duration{
		"CacheFor": c.CacheFor, "LatestFor": c.LatestFor, "RefuseFor": c.RefuseFor,
		"Retry.Base": c.Retry.Base, "Retry.Cap": c.Retry.Cap, "Retry.Timeout": c.Retry.Timeout,
	} {
		if d < 0 {
			faults = append(faults, fmt.Errorf("%s is negative", name))
		}
	}
	if c.Concurrency < 0 || c.Retry.Attempts < 0 {
		faults = append(faults, errors.New("a negative Concurrency or Retry.Attempts"))
	}
	for _, domain := range c.Domains {
		if !strings.Contains(domain, ".") || strings.Trim(domain, ".") != domain || strings.ContainsAny(domain, "/:@ ") {
			faults = append(faults, fmt.Errorf("%q among Domains is not a DNS domain", domain))
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("key vault client: %w", errors.Join(faults...))
	}
	return nil
}

// filled returns c with the documented values in place of zeros.
func (c Config) filled() Config {
	orElse(&c.Concurrency, 64)
	orElse(&c.CacheFor, 5*time.Minute)
	orElse(&c.LatestFor, 5*time.Minute)
	orElse(&c.RefuseFor, 10*time.Second)
	orElse(&c.Retry.Attempts, 8)
	orElse(&c.Retry.Base, time.Second)
	orElse(&c.Retry.Cap, 16*time.Second)
	orElse(&c.Retry.Timeout, 30*time.Second)
	orElse(&c.Log, slog.New(slog.DiscardHandler))
	return c
}

func orElse[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
