package keyvault

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"go.opentelemetry.io/otel/trace"

	"github.com/signmill/signmill/signer"
)

// The names of a request: ours, under which the vault logs it, and the vault's.
const (
	headerClientRequest = "X-Ms-Client-Request-Id"
	headerRequest       = "X-Ms-Request-Id"
)

// maxAnswer bounds the body of an answer. A key bundle has a few kilobytes.
const maxAnswer = 256 << 10

// sizeKey is under which a context holds another bound.
type sizeKey struct{}

// withAnswerUpTo bounds the answers to requests under the context it returns.
func withAnswerUpTo(ctx context.Context, bytes int64) context.Context {
	return context.WithValue(ctx, sizeKey{}, bytes)
}

func answerUpTo(ctx context.Context) int64 {
	if most, ok := ctx.Value(sizeKey{}).(int64); ok {
		return most
	}
	return maxAnswer
}

// newTransport returns a transport whose idle connections match the calls in
// flight, so that a burst opens no new connection for each call.
func newTransport(concurrency int) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   concurrency,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second},
	}
}

// wire hands the SDK's requests to a RoundTripper, without cookies and
// redirects, and answers that the SDK can take.
type wire struct {
	http.RoundTripper
	tracer trace.Tracer // nil: there are no spans
}

// Do implements the SDK's policy.Transporter.
func (w wire) Do(req *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := w.exchange(req)
	w.tell(req, began, resp)
	return resp, err
}

// exchange makes one attempt. The body is read here: the SDK would call an answer
// that breaks off final, and signing may be repeated. What Payload has read the
// SDK does not copy again.
func (w wire) exchange(req *http.Request) (*http.Response, error) {
	resp, err := w.RoundTrip(req)
	call := signer.Call{Client: req.Header.Get(headerClientRequest)}
	if err != nil {
		signer.TellCall(req.Context(), call)
		return nil, err
	}
	call.Vault = resp.Header.Get(headerRequest)
	signer.TellCall(req.Context(), call)
	defer resp.Body.Close()
	most := answerUpTo(req.Context())
	resp.Body = io.NopCloser(io.LimitReader(resp.Body, most+1))
	body, err := runtime.Payload(resp)
	if err != nil {
		return nil, fmt.Errorf("read the vault's answer: %w", err)
	}
	if int64(len(body)) > most {
		return nil, fmt.Errorf("the vault's answer is longer than %d bytes", most)
	}
	for _, challenge := range resp.Header.Values("WWW-Authenticate") {
		if !sound(challenge) {
			resp.Header.Del("WWW-Authenticate")
			break
		}
	}
	return resp, nil
}

// sound reports whether the SDK can take a challenge apart: it reads the
// tenant from the path of the authorization URL without asking whether there
// is one.
func sound(challenge string) bool {
	for part := range strings.SplitSeq(strings.ReplaceAll(challenge, "Bearer ", ""), " ") {
		if uri, found := strings.CutPrefix(part, "authorization="); found && strings.Count(uri, "/") < 3 {
			return false
		}
	}
	return true
}
