package worker_test

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
)

// BenchmarkWorker moves the same jobs through the worker and through a bare
// loop of the two SDKs that does the same work (receive, sign, send, complete)
// at the same concurrency against the same servers on loopback, in turns.
//
// "ratio" is the median over the rounds of the loop's time divided by the
// worker's: above 1 the worker is faster. The worker also checks each job and
// verifies each signature, which the loop does not; "ratio-verifying" compares
// with a loop that verifies too. With a vault that answers at once everything
// hangs on the processor, and verifying costs ES256 more than signing; with
// one that takes its time, as any real one does, it is free.
func BenchmarkWorker(b *testing.B) {
	for _, algorithm := range []schema.Algorithm{schema.RS256, schema.ES256} {
		for _, latency := range []time.Duration{0, 20 * time.Millisecond} {
			for _, items := range []int{1, 10} {
				name := fmt.Sprintf("%s/vault=%v/items=%d", algorithm, latency, items)
				b.Run(name, func(b *testing.B) { compare(b, load{algorithm, items, 2400 / items}, latency) })
			}
		}
	}
}

// load is what one round moves.
type load struct {
	algorithm schema.Algorithm
	items     int // of each job
	jobs      int
}

func (l load) key() string {
	return map[bool]string{true: "ec", false: "rsa"}[l.algorithm == schema.ES256]
}

// benchConcurrency bounds the signatures under way in the worker and in the
// loop.
const benchConcurrency = 32

func compare(b *testing.B, l load, latency time.Duration) {
	r := newSockets(newRig(b, localvault.KeySpec{Name: "rsa", Type: "RSA"}))
	r.config.Concurrency = benchConcurrency
	r.vault.SetFaults(localvault.Faults{Delay: latency})
	var bare, verifying, ours []float64
	round := 0
	timed := func(work func(context.Context, load)) float64 {
		round++
		return r.measure(round, l, work).Seconds()
	}
	for b.Loop() {
		bare = append(bare, timed(func(ctx context.Context, l load) { r.bareLoop(ctx, l, false) }))
		ours = append(ours, timed(r.runWorker))
		verifying = append(verifying, timed(func(ctx context.Context, l load) { r.bareLoop(ctx, l, true) }))
	}
	b.ReportMetric(median(bare, ours), "ratio")
	b.ReportMetric(median(verifying, ours), "ratio-verifying")
	b.ReportMetric(float64(l.jobs*l.items)*median([]float64{1}, ours[:1]), "signatures/s")
	b.ReportMetric(0, "ns/op")
}

// sockets is a rig whose clients reach the servers over loopback: AMQP over
// TCP, and HTTPS.
type sockets struct {
	*rig
	connection string            // connection string of the broker
	vaultURL   string            // of the vault
	transport  http.RoundTripper // trusts the vault, and keeps its connections
}

func newSockets(r *rig) *sockets {
	bus, vault := r.listen(r.bus.Serve), r.listen(r.vault.Serve)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(r.vault.CA())
	s := &sockets{
		rig:        r,
		connection: strings.Replace(emulator, "localhost", bus, 1),
		vaultURL:   "https://" + vault,
		transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: roots},
			MaxIdleConnsPerHost: 2 * benchConcurrency,
			ForceAttemptHTTP2:   true,
		},
	}
	var err error
	r.client, err = servicebus.New(servicebus.Config{ConnectionString: s.connection})
	r.must(err)
	r.cleanup(r.client.Close)
	r.keys, err = keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: s.transport, Local: true})
	r.must(err)
	r.jobs = r.sender("jobs")
	r.config.Jobs, r.config.Replies = r.receiver("jobs"), map[string]queue.Sender{"replies": r.sender("replies")}
	r.config.Keys = r.keys
	r.config.Policy = worker.Allowance{Keys: map[string]signer.Ref{"ec": {Vault: s.vaultURL, Name: "ec"}, "rsa": {Vault: s.vaultURL, Name: "rsa"}}}
	return s
}

// listen serves on loopback until the end of the test and returns the address.
func (r *rig) listen(serve func(context.Context, net.Listener) error) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	r.must(err)
	ctx, stop := context.WithCancel(context.WithoutCancel(r.t.Context()))
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l) }()
	r.cleanup(func(context.Context) error { stop(); return <-done })
	return l.Addr().String()
}

// median returns the median of a/b.
func median(a, b []float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// measure enqueues jobs, times work, and checks and removes the replies.
func (r *rig) measure(round int, l load, work func(context.Context, load)) time.Duration {
	r.t.Helper()
	var batch []queue.Message
	for i := range l.jobs {
		j := job(fmt.Sprintf("%d-%d", round, i), l.items)
		j.Key, j.Algorithm = l.key(), l.algorithm
		batch = append(batch, queue.Message{ID: j.ID, Body: r.encode(j)})
	}
	r.must(r.jobs.Send(r.t.Context(), batch...))

	began := time.Now()
	work(r.t.Context(), l)
	took := time.Since(began)

	replies := r.receiver("replies")
	for seen := 0; seen < l.jobs; {
		got, err := replies.Receive(r.t.Context(), l.jobs-seen)
		r.must(err)
		seen += len(got)
		var done sync.WaitGroup
		for _, d := range got {
			done.Go(func() { r.must(d.Complete(context.WithoutCancel(r.t.Context()))) })
		}
		done.Wait()
	}
	r.must(replies.Close(r.t.Context()))
	return took
}

// runWorker runs a worker until it has answered so many jobs.
func (r *rig) runWorker(ctx context.Context, l load) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	config := r.config
	sender := &countdown{Sender: config.Replies["replies"], left: l.jobs, done: stop}
	config.Replies = map[string]queue.Sender{"replies": sender}
	w, err := worker.New(config)
	r.must(err)
	r.must(w.Run(ctx))
}

// countdown is a Sender that calls done after so many messages.
type countdown struct {
	queue.Sender
	mu   sync.Mutex // guards left
	left int
	done func()
}

func (c *countdown) Send(ctx context.Context, messages ...queue.Message) error {
	err := c.Sender.Send(ctx, messages...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left -= len(messages); err == nil && c.left <= 0 {
		c.done()
	}
	return err
}

// bare is the plain loop's clients and its bound on signatures under way.
type bare struct {
	*sockets
	load
	receiver *azservicebus.Receiver
	sender   *azservicebus.Sender
	keys     *azkeys.Client
	public   crypto.PublicKey // to verify with, nil: not
	turns    chan struct{}
}

// bareLoop does the work of the worker with the two SDKs and nothing else.
func (r *sockets) bareLoop(ctx context.Context, l load, verify bool) {
	bus, err := azservicebus.NewClientFromConnectionString(r.connection, nil)
	r.must(err)
	defer bus.Close(ctx)
	b := &bare{sockets: r, load: l, turns: make(chan struct{}, benchConcurrency)}
	b.receiver, err = bus.NewReceiverForQueue("jobs", nil)
	r.must(err)
	b.sender, err = bus.NewSender("replies", nil)
	r.must(err)
	b.keys, err = azkeys.NewClient(r.vaultURL, anyToken{}, &azkeys.ClientOptions{
		ClientOptions:                        azcore.ClientOptions{Transport: bareTransport{r.transport}},
		DisableChallengeResourceVerification: true,
	})
	r.must(err)
	if verify {
		key, err := r.keys.Resolve(ctx, signer.Ref{Vault: r.vaultURL, Name: l.key()})
		r.must(err)
		b.public = key.Public
	}
	b.run(ctx)
}

// run keeps twice as many jobs as signatures under way, and asks for as many as
// it has room for, as the worker does. Neither knows how many are left, and the
// SDK waits for more for 20 ms where fewer are there than were asked for.
func (b *bare) run(ctx context.Context) {
	slots := make(chan struct{}, 2*benchConcurrency)
	var jobs sync.WaitGroup
	for left := b.load.jobs; left > 0; {
		slots <- struct{}{}
		free := 1
		for len(slots) < cap(slots) {
			slots <- struct{}{}
			free++
		}
		messages, err := b.receiver.ReceiveMessages(ctx, free, nil)
		b.must(err)
		for range free - len(messages) {
			<-slots
		}
		left -= len(messages)
		for _, m := range messages {
			jobs.Go(func() {
				defer func() { <-slots }()
				b.job(ctx, m)
				b.must(b.receiver.CompleteMessage(ctx, m, nil))
			})
		}
	}
	jobs.Wait()
}

// job signs the items of one message and sends one reply.
func (b *bare) job(ctx context.Context, m *azservicebus.ReceivedMessage) {
	var request struct {
		Items []struct{ ID, Digest string }
	}
	b.must(json.Unmarshal(m.Body, &request))
	signatures := make([]string, len(request.Items))
	var items sync.WaitGroup
	for i, item := range request.Items {
		b.turns <- struct{}{}
		items.Go(func() {
			defer func() { <-b.turns }()
			signatures[i] = b.sign(ctx, item.Digest)
		})
	}
	items.Wait()
	body, err := json.Marshal(signatures)
	b.must(err)
	id := "reply-" + m.MessageID
	b.must(b.sender.SendMessage(ctx, &azservicebus.Message{MessageID: &id, CorrelationID: &m.MessageID, Body: body}, nil))
}

func (b *bare) sign(ctx context.Context, text string) string {
	digest, err := base64.RawURLEncoding.DecodeString(text)
	b.must(err)
	algorithm := azkeys.SignatureAlgorithm(b.algorithm)
	signed, err := b.keys.Sign(ctx, b.key(), "", azkeys.SignParameters{Algorithm: &algorithm, Value: digest}, nil)
	b.must(err)
	if b.public != nil {
		b.must(signer.Verify(b.public, b.algorithm, digest, signed.Result))
	}
	return base64.RawURLEncoding.EncodeToString(signed.Result)
}

// bareTransport lets the SDK use a round tripper.
type bareTransport struct{ rt http.RoundTripper }

func (b bareTransport) Do(request *http.Request) (*http.Response, error) {
	return b.rt.RoundTrip(request)
}
