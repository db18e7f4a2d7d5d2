package worker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/worker"
	checker "github.com/signmill/signmill/worker/history"
)

// errKilled is what a killed worker gets from everything that it touches.
var errKilled = errors.New("killed")

// replica is a worker with connections of its own, as if in a process.
type replica struct {
	world  *world
	number uint64
	cancel context.CancelFunc
	done   chan error
	ended  bool // owned by the run's goroutine

	mu    sync.Mutex // guards the fields below
	dead  bool
	wires []*wire
}

// open starts one more worker.
func (w *world) open() {
	r := &replica{world: w, number: uint64(len(w.replicas)), done: make(chan error, 1)}
	w.replicas = append(w.replicas, r)
	client, err := servicebus.New(servicebus.Config{ConnectionString: emulator, Dial: r.dial})
	w.must(err)
	jobs, err := client.Receiver(simulated)
	w.must(err)
	results, err := client.Sender("results")
	w.must(err)
	keys, err := keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: mortal{w.vault.RoundTripper(), r}})
	w.must(err)

	config := w.config
	if w.putOff {
		config.Later, err = client.Sender(simulated)
		w.must(err)
	}
	config.Jobs = observed{jobs, w.history}
	config.Replies = map[string]queue.Sender{"results": results}
	config.DefaultReply = "results"
	config.Keys = keys
	worker, err := worker.New(config)
	w.must(err)
	ctx, cancel := context.WithCancel(w.t.Context())
	r.cancel = cancel
	go func() { r.done <- worker.Run(ctx) }()
	w.cleanup(func(closing context.Context) error {
		cancel()
		if err := <-r.done; err != nil {
			w.t.Errorf("%s: Run: %v", w, err)
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
	r.mu.Unlock()
	for _, w := range r.lines() {
		w.Close()
	}
	r.drain()
}

// hush makes the connections half open.
func (r *replica) hush() {
	random := r.world.source("hush", r.number)
	for _, w := range r.lines() {
		w.hush(drawFate(random).silence)
	}
}

func (r *replica) lines() []*wire {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wires
}

func (r *replica) isDead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dead
}

// dial opens a connection, whose fate depends on the seed and on how many this
// worker had before.
func (r *replica) dial(ctx context.Context, _ string) (net.Conn, error) {
	if r.isDead() {
		return nil, errKilled
	}
	conn, err := r.world.bus.Dial(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &wire{Conn: conn}
	if !r.world.peace.Load() {
		w.fate = drawFate(r.world.source("wire", r.number<<32|uint64(len(r.wires))))
	}
	r.wires = append(r.wires, w)
	return w, nil
}

// source returns the randomness for one part of a run, which does not depend on
// the order in which the parts ask.
func (w *world) source(what string, n uint64) *rand.Rand {
	var h uint64 = 14695981039346656037 // FNV-1a
	for _, b := range []byte(what) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(w.seed, h^n))
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

// observed is a receiver that tells the checker of each delivery. A job that was
// put off is the same as before.
type observed struct {
	queue.Receiver
	history *checker.History
}

func (o observed) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	got, err := o.Receiver.Receive(ctx, limit)
	for _, d := range got {
		o.history.Deliver(original(d.ID, d.CorrelationID), d.SequenceNumber)
	}
	return got, err
}

// original returns the id of the message that a worker has put off, perhaps more
// than once.
func original(id, correlation string) string {
	if strings.HasPrefix(id, "again-") {
		return correlation
	}
	return id
}
