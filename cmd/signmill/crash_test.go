package main

import (
	"crypto"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/worker/history"
)

var crashKills = flag.Int("crash.kills", 18, "how often TestCrashMatrix kills the worker")

// TestCrashMatrix kills the real worker again and again while it works on jobs
// of a real broker and a real vault, which live on in a process of their own:
// at each boundary in turn, and at any moment. In the end each job has one
// result that can be seen, whose signatures verify, and no job is left.
func TestCrashMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	m := newMatrix(t)
	moments := append(boundaries(), "") // "" is any moment
	kills := map[boundary]int{}
	for round := range *crashKills {
		at := moments[round%len(moments)]
		m.ask(round, 6, 3)
		m.crash(at, 1+rand.IntN(2))
		kills[at]++
	}
	m.finish()
	t.Logf("killed %d times: %v", *crashKills, kills)
	m.conclude()
}

// matrix is a broker and a vault behind taps, and the history of their jobs.
type matrix struct {
	*processes
	*trap
	*history.History
	answers    *vaultLog
	connection string // to the broker itself
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{answers: &vaultLog{}, trap: &trap{}}
	m.processes = startStack(t, m.answers, "--log-level", "debug")
	authorities, err := os.ReadFile(m.setting("SSL_CERT_FILE"))
	m.must(err)
	m.History = history.New(history.Config{Key: m.keyLookup(authorities), EndsOnce: true})

	m.connection = m.setting(envPrefix + "CONNECTION_STRING")
	bus, err := busAddress(m.connection)
	m.must(err)
	vault, certificate := (&vaultTap{m.trap, trusting(authorities)}).listen(t, m.setting(envPrefix+"VAULT"))
	trusted := filepath.Join(t.TempDir(), "trusted.pem")
	m.must(os.WriteFile(trusted, append(authorities, certificate...), 0o600))
	m.env = append(m.env, envPrefix+"CONNECTION_STRING="+emulator((&tap{m.trap, bus}).listen(t)),
		envPrefix+"VAULT="+vault, "SSL_CERT_FILE="+trusted)
	return m
}

// keyLookup asks the vault itself for keys, whatever host their kid names.
func (m *matrix) keyLookup(authorities []byte) func(kid string) (crypto.PublicKey, error) {
	vault := m.setting(envPrefix + "VAULT")
	keys, err := keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: trusting(authorities), Local: true})
	m.must(err)
	return func(kid string) (crypto.PublicKey, error) {
		_, path, _ := strings.Cut(kid, "/keys/")
		name, version, _ := strings.Cut(path, "/")
		key, err := keys.Resolve(m.Context(), signer.Ref{Vault: vault, Name: name, Version: version})
		return key.Public, err
	}
}

// busAddress returns the address that a connection string names.
func busAddress(connection string) (string, error) {
	_, rest, found := strings.Cut(connection, "sb://")
	host, _, _ := strings.Cut(rest, ";")
	if !found || host == "" {
		return "", fmt.Errorf("no host in %q", connection)
	}
	return strings.TrimSuffix(host, "/"), nil
}

// ask submits jobs of one round.
func (m *matrix) ask(round, jobs, items int) {
	m.Helper()
	to, err := m.client.Sender("jobs")
	m.must(err)
	var batch []queue.Message
	for i := range jobs {
		j := jobOf(round, i, items)
		body, err := j.Encode(schema.Limits{})
		m.must(err)
		m.Attempt(j)
		batch = append(batch, queue.Message{ID: j.ID, Body: body})
	}
	m.must(to.Send(m.Context(), batch...))
	for _, message := range batch {
		m.Accept(message.ID)
	}
	m.must(to.Close(m.Context()))
}

// crash starts a worker and lets it die at a boundary, the n-th time that it
// comes there, or at any moment.
func (m *matrix) crash(at boundary, n int) {
	m.Helper()
	w := m.workerCommand()
	sprung := m.set(at, n, func() {
		m.must(w.Process.Kill())
		_ = w.Wait() // it tells of the kill
	})
	served := m.log.count("worker serves")
	m.must(w.Start())
	if at == "" {
		m.await("a worker", func() bool { return m.log.count("worker serves") > served })
		<-time.After(rand.N(100 * time.Millisecond))
		m.spring()
	}
	select {
	case <-sprung:
	case <-time.After(longest):
		m.Fatalf("no worker came to %q within %s: %s", at, longest, m.log.tail())
	}
}

// workerCommand is a worker that holds few jobs.
func (s *processes) workerCommand(flags ...string) *exec.Cmd {
	cmd := s.command(append([]string{"worker", "--allow-key", "signmill", "--jobs-held", "8", "--max-deliveries", "2000"}, flags...)...)
	cmd.Stderr = s.log
	return cmd
}

// finish lets a worker work in peace until nothing is left.
func (m *matrix) finish() {
	m.Helper()
	w := m.workerCommand()
	m.set("", 0, func() {})
	m.must(w.Start())
	m.collect()
	m.must(w.Process.Signal(os.Interrupt))
	m.must(w.Wait())
}

// longest bounds the waiting for something that must come.
const longest = 2 * time.Minute

// collect takes replies until each job has ended and the job queue is empty, or
// nothing comes any more.
func (m *matrix) collect() {
	m.Helper()
	from, err := m.client.Receiver("replies")
	m.must(err)
	for last := time.Now(); time.Since(last) < longest; {
		for _, d := range m.receive(from, time.Second) {
			if d.Subject == schema.TracesSubject {
				continue
			}
			last = time.Now()
			m.Reply(history.Reply{ID: d.ID, CorrelationID: d.CorrelationID, Body: d.Body, EnqueuedAt: d.EnqueuedAt})
		}
		if ended, attempted := m.Ended(); ended == attempted && len(m.held()) == 0 {
			break
		}
	}
	for _, id := range m.held() {
		m.Wait(id)
	}
	m.must(from.Close(m.Context()))
}

// held returns the jobs on the job queue, locked ones too.
func (m *matrix) held() (ids []string) {
	m.Helper()
	client, err := azservicebus.NewClientFromConnectionString(m.connection, nil)
	m.must(err)
	defer client.Close(m.Context())
	from, err := client.NewReceiverForQueue("jobs", nil)
	m.must(err)
	messages, err := from.PeekMessages(m.Context(), 100, nil)
	m.must(err)
	for _, message := range messages {
		ids = append(ids, message.MessageID)
	}
	return ids
}

// conclude looks at what is left, and judges.
func (m *matrix) conclude() {
	m.Helper()
	dead, err := m.client.Receiver(servicebus.DeadLetters("jobs"))
	m.must(err)
	for _, d := range m.receive(dead, time.Second) {
		reason, _ := d.Properties["DeadLetterReason"].(string)
		m.DeadLetter(d.ID, reason)
	}
	m.Sign(m.answers.signatures(), 0)
	report := m.Check()
	m.Log(report)
	if err := report.Err(); err != nil {
		m.Error(err)
	}
}
