package worker_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
)

// gag lets a broker fall silent: connections stay open and new ones come about,
// but nothing arrives on either side until it speaks again.
type gag struct {
	bus *localbus.Server

	mu     sync.Mutex    // guards silent
	silent chan struct{} // closed while the broker speaks
}

func (g *gag) dial(ctx context.Context, _ string) (net.Conn, error) {
	server, err := g.bus.Dial(ctx)
	if err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	g.join(far, server)
	g.join(server, far)
	return near, nil
}

// join carries bytes one way until either side closes. It never stops reading:
// who is stuck in a write does not notice that its time is over.
func (g *gag) join(to, from net.Conn) {
	mail := make(chan []byte, 10000) // closed by the reader
	go func() {
		defer close(mail)
		defer to.Close()
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			mail <- buffer[:n]
		}
	}()
	go func() {
		defer from.Close()
		for b := range mail {
			<-g.speaks()
			if _, err := to.Write(b); err != nil {
				return
			}
		}
	}()
}

func (g *gag) speaks() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.silent
}

// silence makes the broker silent. The returned function lets it speak.
func (g *gag) silence() (speak func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	silent := make(chan struct{})
	g.silent = silent
	return sync.OnceFunc(func() { close(silent) })
}

// gagged gives the worker a client of its own, whose broker can fall silent.
func (r *rig) gagged() *gag {
	r.t.Helper()
	g := &gag{bus: r.bus}
	g.silence()()
	client, err := servicebus.New(servicebus.Config{ConnectionString: emulator, Dial: g.dial})
	r.must(err)
	r.cleanup(client.Close)
	r.config.Jobs, err = client.Receiver("jobs")
	r.must(err)
	replies, err := client.Sender("replies")
	r.must(err)
	r.config.Replies = map[string]queue.Sender{"replies": replies}
	return g
}

// openLinks has a job refused, so that the worker's links are all open. The
// client opens them under a mutex, in front of which virtual time stands still.
func (r *rig) openLinks() {
	r.t.Helper()
	j := job("refused", 1)
	j.Key = "other"
	r.submit(j)
	r.reply()
}

// TestDrainWithASilentBroker ends within DrainTimeout and five seconds, whatever
// the worker was doing when the broker fell silent.
func TestDrainWithASilentBroker(t *testing.T) {
	tests := map[string]struct {
		jobs   int
		signed time.Duration // after the silence began
		drain  time.Duration // likewise
	}{
		"idle":                          {0, 0, 0},
		"signing":                       {40, time.Hour, 0},
		"replies come during the drain": {40, 20 * time.Second, 0},
		"replies come at the end":       {40, 25*time.Second - 1, 0},
		"replies are on their way":      {40, 0, time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T, r *rig) {
				g, s := r.gagged(), r.slowDown()
				drain := r.start()
				r.openLinks()
				for i := range tt.jobs {
					r.submit(job(fmt.Sprint(i), 1))
				}
				for range min(tt.jobs, 32) {
					<-s.started
				}
				speak := g.silence()
				r.cleanup(func(context.Context) error { speak(); return nil })
				time.AfterFunc(tt.signed, func() { close(s.letGo) })
				<-time.After(tt.drain)
				began := time.Now()
				drain()
				if took := time.Since(began); took > 30*time.Second {
					t.Errorf("drain took %v, want 30s at most", took)
				}
			})
		})
	}
}

// TestLateReplyIsSent signs just before DrainTimeout ends, with a broker that
// takes two seconds to answer: reply and settlement still go out.
func TestLateReplyIsSent(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		g, s := r.gagged(), r.slowDown()
		drain := r.start()
		r.openLinks()
		r.submit(job("late", 1))
		<-s.started
		time.AfterFunc(25*time.Second-1, func() {
			time.AfterFunc(2*time.Second, g.silence())
			close(s.letGo)
		})
		drain()
		result, _ := r.reply()
		r.verify(job("late", 1), result)
		<-time.After(time.Minute) // longer than the lock
		r.empty("jobs")
	})
}
