package worker_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/worker"
)

// BenchmarkWorker moves the same jobs through the worker and through a bare
// loop of the two SDKs that does the same work (receive, sign, send, complete)
// at the same concurrency against the same servers, in turns. The metric
// "ratio" is the median over the rounds of the loop's time divided by the
// worker's: above 1 the worker is faster. The worker also checks each job and
// verifies each signature; the loop does not.
func BenchmarkWorker(b *testing.B) {
	const concurrency, jobs = 32, 8000
	for _, items := range []int{1, 10} {
		b.Run(fmt.Sprintf("items=%d", items), func(b *testing.B) {
			r := newRig(b)
			r.config.Concurrency = concurrency
			var ratios, rates []float64
			round := 0
			for b.Loop() {
				round++
				bare := r.measure(round, jobs/items, items, func(ctx context.Context, n int) { r.bareLoop(ctx, n, concurrency) })
				round++
				ours := r.measure(round, jobs/items, items, r.runWorker)
				ratios = append(ratios, bare.Seconds()/ours.Seconds())
				rates = append(rates, jobs/ours.Seconds())
			}
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(median(rates), "signatures/s")
		})
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// measure enqueues jobs, times work, and checks and removes the replies.
func (r *rig) measure(round, jobs, items int, work func(ctx context.Context, jobs int)) time.Duration {
	r.t.Helper()
	var batch []queue.Message
	for i := range jobs {
		j := job(fmt.Sprintf("%d-%d", round, i), items)
		batch = append(batch, queue.Message{ID: j.ID, Body: r.encode(j)})
	}
	r.must(r.jobs.Send(r.t.Context(), batch...))

	began := time.Now()
	work(r.t.Context(), jobs)
	took := time.Since(began)

	replies := r.receiver("replies")
	for seen := 0; seen < jobs; {
		got, err := replies.Receive(r.t.Context(), jobs-seen)
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
func (r *rig) runWorker(ctx context.Context, jobs int) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	config := r.config
	sender := &countdown{Sender: config.Replies["replies"], left: jobs, done: stop}
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

// bareLoop does the work of the worker with the two SDKs and nothing else.
func (r *rig) bareLoop(ctx context.Context, jobs, concurrency int) {
	bus, err := azservicebus.NewClientFromConnectionString(emulator, &azservicebus.ClientOptions{
		NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
			return r.bus.Dial(ctx)
		},
	})
	r.must(err)
	defer bus.Close(ctx)
	receiver, err := bus.NewReceiverForQueue("jobs", nil)
	r.must(err)
	sender, err := bus.NewSender("replies", nil)
	r.must(err)
	vault, err := azkeys.NewClient(vaultURL, anyToken{}, &azkeys.ClientOptions{
		ClientOptions: azcore.ClientOptions{Transport: bareTransport{r.vault.RoundTripper()}},
	})
	r.must(err)

	slots := make(chan struct{}, concurrency)
	var loops sync.WaitGroup
	for left := jobs; left > 0; {
		slots <- struct{}{}
		free := 1
		for free < min(left, concurrency) {
			select {
			case slots <- struct{}{}:
				free++
				continue
			default:
			}
			break
		}
		messages, err := receiver.ReceiveMessages(ctx, free, nil)
		r.must(err)
		for range free - len(messages) {
			<-slots
		}
		left -= len(messages)
		for _, m := range messages {
			loops.Go(func() {
				defer func() { <-slots }()
				r.bareJob(ctx, m, vault, sender)
				r.must(receiver.CompleteMessage(ctx, m, nil))
			})
		}
	}
	loops.Wait()
}

// bareJob signs the items of one message one after the other and sends one
// reply.
func (r *rig) bareJob(ctx context.Context, m *azservicebus.ReceivedMessage, vault *azkeys.Client, sender *azservicebus.Sender) {
	var request struct {
		ID    string `json:"id"`
		Items []struct {
			ID     string `json:"id"`
			Digest string `json:"digest"`
		} `json:"items"`
	}
	r.must(json.Unmarshal(m.Body, &request))
	signatures := map[string]string{}
	var mu sync.Mutex // guards signatures
	var items sync.WaitGroup
	for _, item := range request.Items {
		items.Go(func() {
			digest, err := base64.RawURLEncoding.DecodeString(item.Digest)
			r.must(err)
			algorithm := azkeys.SignatureAlgorithmES256
			signed, err := vault.Sign(ctx, "ec", "", azkeys.SignParameters{Algorithm: &algorithm, Value: digest}, nil)
			r.must(err)
			mu.Lock()
			defer mu.Unlock()
			signatures[item.ID] = base64.RawURLEncoding.EncodeToString(signed.Result)
		})
	}
	items.Wait()
	body, err := json.Marshal(signatures)
	r.must(err)
	id := "reply-" + m.MessageID
	r.must(sender.SendMessage(ctx, &azservicebus.Message{MessageID: &id, CorrelationID: &m.MessageID, Body: body}, nil))
}

// bareTransport lets the SDK use a round tripper.
type bareTransport struct{ rt http.RoundTripper }

func (b bareTransport) Do(request *http.Request) (*http.Response, error) {
	return b.rt.RoundTrip(request)
}
