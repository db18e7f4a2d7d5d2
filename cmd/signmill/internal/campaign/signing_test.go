package campaign

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/exchange"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// rig is a campaign over a broker in memory, whose worker is the test.
type rig struct {
	*signing
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	jobs queue.Receiver // the worker's end
	out  queue.Sender   // the worker's end
}

// newRig prepares a campaign over count files, one in each job.
func newRig(t *testing.T, count int) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	var err error
	if r.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	c := config{
		Links: Links{
			Config:  exchange.Config{ID: "run", ReplyTo: "replies", Window: 2, Patience: 5 * time.Minute, Log: slog.New(slog.DiscardHandler)},
			Attempt: "1", Keys: &Keyring{Pinned: &r.key.PublicKey}, Items: 1,
		},
		Key: "k", Algorithm: schema.ES256, Hashers: 2,
	}
	client := r.connect(&c)
	if r.jobs, err = client.Receiver("jobs"); err != nil {
		t.Fatal(err)
	}
	if r.out, err = client.Sender("replies"); err != nil {
		t.Fatal(err)
	}
	r.prepare(&c, count)
	r.signing = newSigning(c)
	return r
}

// connect starts a broker and opens both ends.
func (r *rig) connect(c *config) *servicebus.Client {
	r.t.Helper()
	bus, err := localbus.New(localbus.Config{Queues: []localbus.Queue{{Name: "jobs"}, {Name: "replies"}}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { bus.Close() })
	client, err := servicebus.New(servicebus.Config{
		ConnectionString: "Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;",
		Dial:             func(ctx context.Context, _ string) (net.Conn, error) { return bus.Dial(ctx) },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { client.Close(context.Background()) })
	if c.Jobs, err = client.Sender("jobs"); err != nil {
		r.t.Fatal(err)
	}
	if c.Replies, err = client.Receiver("replies"); err != nil {
		r.t.Fatal(err)
	}
	return client
}

// Prepare makes the files and what records their outcomes.
func (r *rig) prepare(c *config, count int) {
	r.t.Helper()
	var names []string
	for i := range count {
		name := filepath.Join(r.dir, fmt.Sprint(i))
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			r.t.Fatal(err)
		}
		names = append(names, name)
	}
	to := Layout{Key: "k"}
	var err error
	if c.Plan, err = makePlan(files.Sources{Files: names}, to, pathSet{}); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Plan.close)
	m, err := manifest.Create(filepath.Join(r.dir, files.ManifestName), manifest.Head{Run: "run", Key: "k", Algorithm: schema.ES256}, false)
	if err != nil {
		r.t.Fatal(err)
	}
	p := display.NewProgress(new(strings.Builder), count, display.Words{Doing: "signing", Things: "files", Done: "signed"})
	r.t.Cleanup(p.Close)
	pem := filepath.Join(r.dir, "k.pem")
	c.Record = &recorder{layout: to, manifest: m, progress: p, pems: map[string]string{testKID: pem}}
}

const testKID = "https://local.vault.azure.net/keys/k/0123456789abcdef0123456789abcdef"

// start runs the campaign; the channel gives its result once.
func (r *rig) start(soft context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- r.run(soft, r.t.Context()) }()
	return done
}

// take receives one job as a worker does.
func (r *rig) take() schema.Job {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 5*time.Minute)
	defer cancel()
	got, err := r.jobs.Receive(ctx, 1)
	if err != nil {
		r.t.Fatal(err)
	}
	job, err := schema.Decode(got[0].Body, schema.Limits{})
	if err = errors.Join(err, got[0].Complete(ctx)); err != nil {
		r.t.Fatal(err)
	}
	return job
}

// result signs a job with key, as it should be.
func (r *rig) result(job schema.Job, key *ecdsa.PrivateKey) schema.Result {
	r.t.Helper()
	result := schema.Result{ID: job.ID, Status: schema.Succeeded, KID: testKID}
	for _, item := range job.Items {
		der, err := ecdsa.SignASN1(rand.Reader, key, item.Digest)
		if err != nil {
			r.t.Fatal(err)
		}
		jose, err := signer.JOSE(schema.ES256, der)
		if err != nil {
			r.t.Fatal(err)
		}
		result.Items = append(result.Items, schema.ItemResult{ID: item.ID, Signature: jose})
	}
	return result
}

// reply sends a body in answer to a job.
func (r *rig) reply(correlation string, body []byte) {
	r.t.Helper()
	m := queue.Message{ID: "reply-" + correlation, CorrelationID: correlation, Subject: schema.ResultVersion, Body: body}
	if err := r.out.Send(r.t.Context(), m); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) encode(result schema.Result) []byte {
	r.t.Helper()
	body, err := result.Encode(0)
	if err != nil {
		r.t.Fatal(err)
	}
	return body
}

// signatures counts the signature files.
func (r *rig) signatures() int {
	r.t.Helper()
	names, err := filepath.Glob(filepath.Join(r.dir, "*"+files.SignatureSuffix))
	if err != nil {
		r.t.Fatal(err)
	}
	return len(names)
}
