package worker_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/worker"
)

// replica is a worker with connections of its own, as if in a process.
type replica struct {
	ended  bool // owned by the test's goroutine
	cancel context.CancelFunc

	mu    sync.Mutex // guards the fields below
	dead  bool
	conns []net.Conn
}

// open starts one more worker.
func (c *chaos) open() {
	r := &replica{}
	c.replicas = append(c.replicas, r)
	client, err := servicebus.New(servicebus.Config{
		ConnectionString: emulator,
		Dial:             func(ctx context.Context, _ string) (net.Conn, error) { return r.dial(ctx, c) },
	})
	c.must(err)
	jobs, err := client.Receiver("chaos")
	c.must(err)
	results, err := client.Sender("results")
	c.must(err)
	replies, err := client.Sender("replies")
	c.must(err)
	keys, err := keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: mortal{c.vault.RoundTripper(), r}})
	c.must(err)

	config := c.config
	if c.putOff {
		config.Later, err = client.Sender("chaos")
		c.must(err)
	}
	config.Jobs = recorded{jobs, c.history}
	config.Replies = map[string]queue.Sender{"replies": replies, "results": results}
	config.Keys = keys
	w, err := worker.New(config)
	c.must(err)
	ctx, cancel := context.WithCancel(c.t.Context())
	r.cancel = cancel
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	c.cleanup(func(closing context.Context) error {
		cancel()
		if err := <-done; err != nil {
			c.t.Errorf("seed %d: Run: %v", c.seed, err)
		}
		if err := client.Close(closing); !r.isDead() {
			return err
		}
		return nil
	})
}

// drain ends a worker as SIGTERM does.
func (r *replica) drain() {
	r.ended = true
	r.cancel()
}

// kill cuts a worker off from everything, as if the process was gone. What is
// left of it can do nothing more.
func (r *replica) kill() {
	r.mu.Lock()
	r.dead = true
	for _, conn := range r.conns {
		conn.Close() //nolint:errcheck // it may be closed already
	}
	r.mu.Unlock()
	r.drain()
}

func (r *replica) isDead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dead
}

func (r *replica) dial(ctx context.Context, c *chaos) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		return nil, errKilled
	}
	conn, err := c.bus.Dial(ctx)
	if err != nil {
		return nil, err
	}
	r.conns = append(r.conns, conn)
	return conn, nil
}

// mortal carries a replica's requests until it is killed, answers included.
type mortal struct {
	http.RoundTripper
	of *replica
}

func (m mortal) RoundTrip(request *http.Request) (*http.Response, error) {
	if m.of.isDead() {
		return nil, errKilled
	}
	response, err := m.RoundTripper.RoundTrip(request)
	if err == nil && m.of.isDead() {
		response.Body.Close() //nolint:errcheck // it is in memory
		return nil, errKilled
	}
	return response, err
}

// original returns the id of the message that a worker has put off, perhaps more
// than once.
func original(id, correlation string) string {
	if strings.HasPrefix(id, "again-") {
		return correlation
	}
	return id
}

// history counts what the workers received.
type history struct {
	byJob      bool       // a job that was put off is the same as before
	mu         sync.Mutex // guards the fields below
	deliveries map[string]int
	copies     map[string]map[int64]bool // sequence numbers by message id
}

func newHistory() *history {
	return &history{deliveries: map[string]int{}, copies: map[string]map[int64]bool{}}
}

func (h *history) add(d *queue.Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := d.ID
	if h.byJob {
		id = original(d.ID, d.CorrelationID)
	}
	h.deliveries[id]++
	if h.copies[id] == nil {
		h.copies[id] = map[int64]bool{}
	}
	h.copies[id][d.SequenceNumber] = true
}

// recorded is a receiver that keeps a history.
type recorded struct {
	queue.Receiver
	history *history
}

func (r recorded) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	got, err := r.Receiver.Receive(ctx, limit)
	for _, d := range got {
		r.history.add(d)
	}
	return got, err
}
