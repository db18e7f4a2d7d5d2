package worker_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/worker"
)

const (
	emulator = "Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true"
	vaultURL = "https://test.vault.azure.net"
)

// rig is a producer, a broker and a vault around a worker. The clients are
// the production ones; only their transports are in memory.
type rig struct {
	t      testing.TB
	bus    *localbus.Server
	vault  *localvault.Server
	client *servicebus.Client
	keys   *keyvault.Client
	jobs   queue.Sender
	config worker.Config
}

// anyToken is a credential that the local vault accepts.
type anyToken struct{}

func (anyToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "test", ExpiresOn: time.Now().Add(24 * time.Hour)}, nil
}

// newRig opens the servers and the clients. The worker is not running yet.
func newRig(t testing.TB, specs ...localvault.KeySpec) *rig {
	t.Helper()
	return newRigOn(t, localbus.Config{}, specs...)
}

// newRigOn is newRig with a broker that has some properties of its own.
func newRigOn(t testing.TB, bus localbus.Config, specs ...localvault.KeySpec) *rig {
	t.Helper()
	return newRigWith(t, bus, localvault.Config{Keys: specs})
}

// newRigWith is newRig with a broker and a vault that have some properties of
// their own.
func newRigWith(t testing.TB, bus localbus.Config, vault localvault.Config) *rig {
	t.Helper()
	specs := vault.Keys
	r := &rig{t: t}
	var err error
	bus.Queues = append(bus.Queues,
		localbus.Queue{Name: "jobs", QueueProperties: localbus.QueueProperties{LockDuration: 30 * time.Second, MaxDeliveryCount: 4}},
		localbus.Queue{Name: "replies", QueueProperties: localbus.QueueProperties{RequiresDuplicateDetect: true}},
		localbus.Queue{Name: "private", QueueProperties: localbus.QueueProperties{RequiresSession: true}},
		localbus.Queue{Name: "elsewhere"},
	)
	r.bus, err = localbus.New(bus)
	r.must(err)
	r.cleanup(func(context.Context) error { return r.bus.Close() })
	vault.Keys = append(slices.Clone(specs), localvault.KeySpec{Name: "ec", Type: "EC"})
	r.vault, err = localvault.New(vault)
	r.must(err)
	r.client = r.newClient()
	r.keys, err = keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: r.vault.RoundTripper()})
	r.must(err)
	r.jobs = r.sender("jobs")
	r.config = worker.Config{
		Jobs:          r.receiver("jobs"),
		Replies:       map[string]queue.Sender{"replies": r.sender("replies"), "private": r.sender("private")},
		DefaultReply:  "replies",
		Policy:        r.aliases(specs...),
		Keys:          r.keys,
		MaxDeliveries: 3,
		Log:           slog.New(slog.DiscardHandler),
	}
	return r
}

func (r *rig) newClient() *servicebus.Client {
	client, err := servicebus.New(servicebus.Config{
		ConnectionString: emulator,
		Dial:             func(ctx context.Context, _ string) (net.Conn, error) { return r.bus.Dial(ctx) },
	})
	r.must(err)
	r.cleanup(client.Close)
	return client
}

// aliases allows each key under its own name, for every operation.
func (r *rig) aliases(specs ...localvault.KeySpec) worker.Allowance {
	aliases := map[string]signer.Ref{"ec": {Vault: vaultURL, Name: "ec"}, "gone": {Vault: vaultURL, Name: "gone"}}
	for _, spec := range specs {
		aliases[spec.Name] = signer.Ref{Vault: vaultURL, Name: spec.Name}
	}
	return worker.Allowance{Keys: aliases, Operations: schema.Operations()}
}

func (r *rig) sender(name string) queue.Sender {
	s, err := r.client.Sender(name)
	r.must(err)
	return s
}

func (r *rig) receiver(name string) queue.Receiver {
	rc, err := r.client.Receiver(name)
	r.must(err)
	return rc
}

// start runs the worker. The returned function drains it, and is also called
// at the end of the test.
func (r *rig) start() (drain func()) {
	r.t.Helper()
	_, drain = r.startWorker()
	return drain
}

// startWorker is start for a test that asks the worker.
func (r *rig) startWorker() (w *worker.Worker, drain func()) {
	r.t.Helper()
	w, err := worker.New(r.config)
	r.must(err)
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	stopped := false
	drain = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("Run: %v", err)
		}
	}
	r.cleanup(func(context.Context) error { drain(); return nil })
	return w, drain
}

// public asks the vault for the key of a kid.
func (r *rig) public(kid string) (crypto.PublicKey, error) {
	name, version, _ := strings.Cut(strings.TrimPrefix(kid, vaultURL+"/keys/"), "/")
	key, err := r.keys.Resolve(r.t.Context(), signer.Ref{Vault: vaultURL, Name: name, Version: version})
	return key.Public, err
}

// job is a valid job for the key "ec" with n items.
func job(id string, n int) schema.Job {
	j := schema.Job{ID: id, Operation: schema.Sign, Key: "ec", Algorithm: schema.ES256}
	for i := range n {
		digest := sha256.Sum256(fmt.Appendf(nil, "%s %d", id, i))
		j.Items = append(j.Items, schema.Item{ID: fmt.Sprint(i), Digest: digest[:]})
	}
	return j
}

// submit sends a job.
func (r *rig) submit(j schema.Job) {
	r.t.Helper()
	r.send(queue.Message{ID: j.ID, Body: r.encode(j)})
}

func (r *rig) encode(j schema.Job) []byte {
	r.t.Helper()
	body, err := j.Encode(schema.Limits{})
	r.must(err)
	return body
}

func (r *rig) send(m queue.Message) {
	r.t.Helper()
	r.must(r.jobs.Send(r.t.Context(), m))
}

// take receives and completes one message.
func (r *rig) take(from queue.Receiver) *queue.Delivery {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Minute)
	defer cancel()
	got, err := from.Receive(ctx, 1)
	r.must(err)
	r.must(got[0].Complete(ctx))
	return got[0]
}

// reply takes the next result from the default reply queue.
func (r *rig) reply() (schema.Result, *queue.Delivery) {
	r.t.Helper()
	d := r.take(r.receiver("replies"))
	result, err := schema.DecodeResult(d.Body)
	r.must(err)
	return result, d
}

// empty checks that a queue holds nothing.
func (r *rig) empty(name string) {
	r.t.Helper()
	rc := r.receiver(name)
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
	defer cancel()
	if got, err := rc.Receive(ctx, 1); err == nil {
		r.t.Errorf("queue %s holds message %q, want none", name, got[0].ID)
	}
	r.must(rc.Close(r.t.Context()))
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) cleanup(f func(context.Context) error) {
	r.t.Cleanup(func() {
		if err := f(context.WithoutCancel(r.t.Context())); err != nil {
			r.t.Errorf("cleanup: %v", err)
		}
	})
}
