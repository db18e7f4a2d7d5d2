package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
)

// shortLocks is a job queue whose messages come back soon when a worker dies,
// however often.
const shortLocks = `{"UserConfig": {"Namespaces": [{"Name": "sbemulatorns", "Queues": [
	{"Name": "jobs", "Properties": {"LockDuration": "PT5S", "MaxDeliveryCount": 2000}}
], "Topics": []}], "Logging": {"Type": "Console"}}}`

// processes are a broker and a vault in one process, a worker in another, and a
// client of ours.
type processes struct {
	*testing.T
	env    []string // with the settings that lead to the broker and the vault
	client *servicebus.Client
	log    *workerLog
}

// startStack starts the broker and the vault, which log to log unless it is nil.
func startStack(t *testing.T, log io.Writer, flags ...string) *processes {
	t.Helper()
	s := &processes{T: t, env: os.Environ(), log: &workerLog{}}
	dir := t.TempDir()
	config, settings := filepath.Join(dir, "config.json"), filepath.Join(dir, "local.env")
	s.must(os.WriteFile(config, []byte(shortLocks), 0o600))
	local := s.command(append([]string{"local", "--bus", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--vault", "127.0.0.1:0",
		"--config", config, "--env-file", settings}, flags...)...)
	local.Stderr = log
	s.must(local.Start())
	t.Cleanup(func() {
		s.must(local.Process.Signal(os.Interrupt))
		s.must(local.Wait())
	})
	s.await("the stack", func() bool { return files.Exists(settings) })
	s.connect(settings)
	return s
}

// command is a command line of the real binary.
func (s *processes) command(args ...string) *exec.Cmd {
	cmd := exec.Command("signmill", args...)
	cmd.Env = s.env
	return cmd
}

// connect takes over the settings that local wrote.
func (s *processes) connect(file string) {
	s.Helper()
	text, err := os.ReadFile(file)
	s.must(err)
	for line := range strings.Lines(string(text)) {
		pair := strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(line), "export "), "'", "")
		s.env = append(s.env, pair)
		if connection, ok := strings.CutPrefix(pair, envPrefix+"CONNECTION_STRING="); ok {
			s.client, err = servicebus.New(servicebus.Config{ConnectionString: connection})
			s.must(err)
		}
	}
	s.Cleanup(func() { s.must(s.client.Close(context.WithoutCancel(s.Context()))) })
}

// startWorker starts a worker that holds few jobs, and waits until it serves.
func (s *processes) startWorker(flags ...string) *exec.Cmd {
	s.Helper()
	cmd := s.command(append([]string{"worker", "--allow-key", "signmill", "--jobs-held", "8", "--max-deliveries", "100"}, flags...)...)
	cmd.Stderr = s.log
	began := s.log.count("worker serves")
	s.must(cmd.Start())
	s.await("a worker", func() bool { return s.log.count("worker serves") > began })
	return cmd
}

// jobOf is a job of so many items.
func jobOf(round, i, items int) schema.Job {
	j := schema.Job{ID: fmt.Sprintf("job %d of round %d", i, round), Operation: schema.Sign, Key: "signmill", Algorithm: schema.ES256}
	for n := range items {
		digest := sha256.Sum256(fmt.Append(nil, j.ID, n))
		j.Items = append(j.Items, schema.Item{ID: fmt.Sprint(n), Digest: digest[:]})
	}
	return j
}

// submit sends jobs of so many items.
func (s *processes) submit(round, jobs, items int) {
	s.Helper()
	to, err := s.client.Sender("jobs")
	s.must(err)
	var batch []queue.Message
	for i := range jobs {
		j := jobOf(round, i, items)
		body, err := j.Encode(schema.Limits{})
		s.must(err)
		batch = append(batch, queue.Message{ID: j.ID, Body: body})
	}
	s.must(to.Send(s.Context(), batch...))
	s.must(to.Close(s.Context()))
}

// setting returns the value of a variable.
func (s *processes) setting(name string) (value string) {
	for _, pair := range s.env {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}

// receive takes what a queue holds, or nothing when that is nothing for so long.
func (s *processes) receive(from queue.Receiver, within time.Duration) []*queue.Delivery {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), within)
	defer cancel()
	got, _ := from.Receive(ctx, 100)
	for _, d := range got {
		s.must(d.Complete(s.Context()))
	}
	return got
}

// await waits for something to happen in another process.
func (s *processes) await(what string, happened func() bool) {
	s.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(awaitFor)
	for !happened() {
		select {
		case <-tick.C:
		case <-late:
			s.Fatalf("%s did not start within %s: %s", what, awaitFor, s.log.tail())
		}
	}
}

func (s *processes) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// workerLog is what all workers wrote.
type workerLog struct {
	mu   sync.Mutex // guards text
	text []byte
}

func (l *workerLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *workerLog) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.text, []byte(text))
}

func (l *workerLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(slices.Clone(l.text[max(0, len(l.text)-2000):]))
}
