package main

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/status"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/signer/localvault"
)

var shots = flag.String("shots", "", "the directory for pictures of the status page; without it there are none")

// scene is a state of a worker that people may see.
type scene struct {
	name   string
	change func(*workerOptions)
	play   func(*staged) // until the picture is taken
	queues []localQueue
}

// staged is a worker in real time whose page is served.
type staged struct {
	*mill
	health *status.Server
	ctx    context.Context // ends the serving
	drains func()
}

// TestStatusShots takes pictures of the status page in each state, in a real
// browser. It is run by make status-shots.
func TestStatusShots(t *testing.T) {
	if *shots == "" {
		t.Skip("no -shots")
	}
	path := findChromium()
	if path == "" {
		t.Skip("there is no Chromium")
	}
	must(t, os.MkdirAll(*shots, 0o755))
	pages := make([]string, len(scenes))
	var crew sync.WaitGroup
	for i, s := range scenes {
		w := stage(t, s)
		server := httptest.NewServer(w.health.Handler())
		t.Cleanup(server.Close)
		pages[i] = server.URL
		crew.Go(func() { s.play(w) })
	}
	crew.Wait()
	browser := newChromium(t, path)
	for i, s := range scenes {
		browser.inspect(pages[i]+"/", *shots, s.name)
	}
}

// stage starts the worker of a scene.
func stage(t *testing.T, s scene) *staged {
	t.Helper()
	var o workerOptions
	w := &staged{mill: newMill(t, func(own *workerOptions) {
		own.health, own.budget.units = ":0", 4000
		s.change(own)
		o = *own
	}, s.queues...)}
	var err error
	w.health, err = o.newHealth(w.post)
	must(t, err)
	w.ctx, w.drains = context.WithCancel(t.Context())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { w.health.Watch(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	return w
}

// load sends jobs to the job queue, every so often one that is none, and results
// are taken.
func (w *staged) load(jobs, items int) {
	for i := range jobs {
		w.submit(fmt.Sprintf("batch-%04d", i), items)
		if i%10 == 0 {
			id := fmt.Sprintf("2f1c4a3e-9d77-4e0a-8a53-%012d/a-very-long-message-id-that-somebody-thought-was-a-good-idea", i)
			must(w.t, w.jobs.Send(w.t.Context(), queue.Message{ID: id, Body: []byte("no job")}))
		}
	}
}

const longName = "orders-of-the-department-for-invoices-and-other-documents-in-western-europe"

var scenes = []scene{
	{"starting", func(*workerOptions) {}, func(*staged) {}, nil},
	{"idle", func(*workerOptions) {}, func(w *staged) {
		w.health.Serve(w.ctx)
		<-time.After(20 * time.Second)
	}, nil},
	{"busy", func(o *workerOptions) { o.lanes, o.budget.share = []string{"urgent=" + longName + ",4"}, "static:3" }, func(w *staged) {
		w.health.Serve(w.ctx)
		w.load(1200, 50)
		urgent, err := w.client.Sender(longName)
		must(w.t, err)
		for i := range 60 {
			must(w.t, urgent.Send(w.t.Context(), queue.Message{ID: fmt.Sprint("urgent", i), Body: []byte("{}")}))
		}
		<-time.After(65 * time.Second)
	}, []localQueue{{Name: longName}}},
	{"throttled", func(*workerOptions) {}, func(w *staged) {
		w.health.Serve(w.ctx)
		w.load(400, 50)
		<-time.After(20 * time.Second)
		w.stack.vault.SetFaults(localvault.Faults{Throttle: 1e9})
		<-time.After(15 * time.Second)
	}, nil},
	{"vault-away", func(o *workerOptions) { o.config.JobTimeout = 10 * time.Second }, func(w *staged) {
		w.health.Serve(w.ctx)
		w.load(50, 20)
		w.stack.vault.SetFaults(localvault.Faults{Fail: 1e9})
		<-time.After(63 * time.Second)
	}, nil},
	{"lane-refused", func(o *workerOptions) { o.lanes = []string{"urgent=" + strings.Repeat("x", 200)} }, func(w *staged) {
		w.health.Serve(w.ctx)
		w.load(20, 5)
		<-time.After(20 * time.Second)
	}, nil},
	{"broker-away", func(*workerOptions) {}, func(w *staged) {
		w.health.Serve(w.ctx)
		w.load(20, 5)
		<-time.After(5 * time.Second)
		w.away.Store(true)
		w.stack.bus.DropConnections()
		<-time.After(100 * time.Second)
	}, nil},
	{"draining", func(*workerOptions) {}, func(w *staged) {
		w.health.Serve(w.ctx)
		w.load(100, 5)
		<-time.After(10 * time.Second)
		w.stack.vault.SetFaults(localvault.Faults{Delay: time.Minute})
		w.submit("slow", 20)
		<-time.After(time.Second)
		w.drains()
		<-time.After(time.Second)
	}, nil},
}
