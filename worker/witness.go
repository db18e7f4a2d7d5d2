package worker

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Identifier is a Policy that knows who sends jobs.
type Identifier interface {
	// Identify returns who sent m, and what told, for the audit log; "" when
	// nothing tells. Like Allow it asks no other machine.
	Identify(job schema.Job, m queue.Message) string
}

// origin is where a job came from. Its sender is found out once, since a policy
// may have a signature to check.
type origin struct {
	*queue.Delivery
	once     sync.Once
	producer string
}

type originKey struct{}

// withOrigin lets what is done under the context it returns know for which
// delivery.
func withOrigin(ctx context.Context, d *queue.Delivery) context.Context {
	return context.WithValue(ctx, originKey{}, &origin{Delivery: d})
}

// sender returns who sent a job that could be decoded.
func (o *origin) sender(p Policy, job schema.Job) string {
	o.once.Do(func() {
		if known, ok := p.(Identifier); ok && job.Operation != "" {
			o.producer = known.Identify(job, o.Message)
		}
	})
	return o.producer
}

// entry tells of a job, as far as it is known.
func (w *Worker) entry(ctx context.Context, event AuditEvent, job schema.Job, from *origin) AuditEntry {
	e := AuditEntry{Event: event, Job: job.ID, Alias: job.Key, Operation: job.Operation, Algorithm: job.Algorithm, Trace: traceID(ctx)}
	if from != nil {
		e.Queue, e.Message, e.Number, e.Delivery = from.Queue, from.ID, from.SequenceNumber, from.Count
		e.Producer = from.sender(w.Policy, job)
	}
	return e
}

// errUnaudited is the cause of what is not done because it cannot be taken down.
var errUnaudited = errors.New("the audit log cannot be written")

// record takes down e. Its error is for items, and passes.
func (w *Worker) record(ctx context.Context, e AuditEntry) error {
	if w.Audit == nil {
		return nil
	}
	if err := w.Audit.Record(ctx, e); err != nil {
		return &signer.Error{Code: schema.CodeUnavailable, Message: errUnaudited.Error(), Err: err}
	}
	return nil
}

// witnessed does t, and has it taken down before and after. What cannot be taken
// down is not begun, or not published.
func (w *Worker) witnessed(ctx context.Context, t task, out *schema.ItemResult) error {
	if w.Audit == nil {
		return operate(ctx, w.Keys, t, out)
	}
	from, _ := ctx.Value(originKey{}).(*origin)
	e := w.entry(ctx, AuditIntent, t.Job, from)
	e.Item, e.KID, e.Digest = t.item.ID, t.key.KID, t.digest()
	if err := w.record(ctx, e); err != nil {
		return err
	}
	var calls callList
	e.Event, e.Outcome = AuditOutcome, string(schema.CodeInternal)
	tell := func() error { // also when there is no time for more
		e.Calls = calls.all()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
		defer cancel()
		return w.record(last, e)
	}
	defer func() {
		if p := recover(); p != nil {
			_ = tell() // the panic is the failure that counts
			panic(p)
		}
	}()
	err := operate(signer.WithCalls(ctx, calls.add), w.Keys, t, out)
	if e.Outcome = outcomeOf(err, t.NotAfter); err == nil {
		e.Made = made(out)
	}
	return errors.Join(err, tell())
}

// digest is what may be told of an item's input.
func (t task) digest() []byte {
	switch t.Operation {
	case schema.Sign, schema.Verify:
		return t.item.Digest
	case schema.Decrypt, schema.UnwrapKey:
		sum := sha256.Sum256(t.item.Ciphertext)
		return sum[:]
	}
	return nil
}

// made is the hash of what the operation made, unless that is a secret.
func made(out *schema.ItemResult) []byte {
	public := out.Signature
	if public == nil {
		public = out.Ciphertext
	}
	if public == nil {
		return nil
	}
	sum := sha256.Sum256(public)
	return sum[:]
}

// outcomeDone is the outcome of what has no error.
const outcomeDone = "done"

func outcomeOf(err error, notAfter time.Time) string {
	if err == nil {
		return outcomeDone
	}
	return string(itemError(err, notAfter).Code)
}

// callList is what was asked of a vault for one item.
type callList struct {
	mu    sync.Mutex // guards calls
	calls []signer.Call
}

// maxAuditCalls bounds what is kept of an item: one that is repeated for minutes
// is told by its last requests.
const maxAuditCalls = 4

// add keeps one entry for a request that is sent again under the same name, as
// after the challenge for a token.
func (l *callList) add(c signer.Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.calls); n > 0 && l.calls[n-1].Client == c.Client {
		l.calls[n-1] = c
		return
	}
	if len(l.calls) == maxAuditCalls {
		l.calls = l.calls[1:]
	}
	l.calls = append(l.calls, c)
}

func (l *callList) all() []signer.Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]signer.Call(nil), l.calls...)
}

// recordRefusal takes down that a job was refused, before its answer goes out.
func (w *Worker) recordRefusal(ctx context.Context, d *queue.Delivery, v verdict) error {
	if w.Audit == nil || v.refused == nil {
		return nil
	}
	e := w.entry(ctx, AuditRefused, *v.refused, &origin{Delivery: d})
	e.Outcome = string(v.result.Items[0].Error.Code)
	return w.record(ctx, e)
}

// recordDeadLetter takes down that d is about to be a dead letter. It signs
// nothing, so that it goes on when that fails.
func (w *Worker) recordDeadLetter(ctx context.Context, d *queue.Delivery, v verdict) {
	if w.Audit == nil || v.outcome != queue.DeadLetter {
		return
	}
	var job schema.Job
	if v.result != nil {
		job.ID = v.result.ID
	}
	e := w.entry(ctx, AuditDeadLetter, job, &origin{Delivery: d})
	e.Outcome = string(v.reason)
	if err := w.record(ctx, e); err != nil {
		w.Log.Error("a dead letter is not in the audit log", "message_id", d.ID, "error", err)
	}
}
