package worker_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
)

// piece is the text of which every secret in these tests is made, over and
// over, so that what is cut out of one still shows it. In base64 and base64url
// it looks different.
const piece = "mArKeR?>~"

func markers(n int) schema.Secret { return schema.Secret(strings.Repeat(piece, n/len(piece)+1)[:n]) }

// shapes are the forms in which a text shows that a secret got into it.
func shapes() map[string]string {
	all := map[string]string{
		"raw": "mArKeR", "hex": hex.EncodeToString([]byte(piece)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(piece))),
		"numbers": "109 65 114 75",
	}
	for i := range 3 { // wherever the secret begins
		turned := []byte(piece[i:] + piece[:i])
		all[fmt.Sprint("base64 ", i)] = base64.StdEncoding.EncodeToString(turned)
		all[fmt.Sprint("base64url ", i)] = base64.RawURLEncoding.EncodeToString(turned)
	}
	return all
}

// tap hears what a worker and its clients say.
type tap struct {
	*rig
	json, text journal
	audit      journal
}

// Enabled, Handle, WithAttrs and WithGroup implement slog.Handler for both forms.
type bothForms []slog.Handler

func (b bothForms) Enabled(context.Context, slog.Level) bool { return true }

func (b bothForms) Handle(ctx context.Context, r slog.Record) error {
	for _, h := range b {
		if err := h.Handle(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (b bothForms) WithAttrs(attrs []slog.Attr) slog.Handler {
	return bothForms{b[0].WithAttrs(attrs), b[1].WithAttrs(attrs)}
}

func (b bothForms) WithGroup(name string) slog.Handler {
	return bothForms{b[0].WithGroup(name), b[1].WithGroup(name)}
}

// tap gives the worker clients that log all there is, over a transport to
// the vault.
func (r *rig) tap(transport http.RoundTripper) *tap {
	r.t.Helper()
	w := &tap{rig: r}
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	log := slog.New(bothForms{slog.NewJSONHandler(&w.json, options), slog.NewTextHandler(&w.text, options)})
	keys, err := keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: transport, Log: log})
	r.must(err)
	client, err := servicebus.New(servicebus.Config{ConnectionString: emulator, Log: log,
		Dial: func(ctx context.Context, _ string) (net.Conn, error) { return r.bus.Dial(ctx) }})
	r.must(err)
	r.cleanup(client.Close)
	r.config.Log, r.config.Keys = log, keys
	r.audited(&w.audit)
	r.config.Jobs, err = client.Receiver("jobs")
	r.must(err)
	for name := range r.config.Replies {
		r.config.Replies[name], err = client.Sender(name)
		r.must(err)
	}
	return w
}

// keepsQuiet fails where a text shows a secret.
func keepsQuiet(t testing.TB, where, text string) {
	t.Helper()
	for shape, form := range shapes() {
		if at := strings.Index(text, form); at >= 0 {
			t.Errorf("%s shows the secret, %s: %s", where, shape, text[max(0, at-300):min(len(text), at+60)])
		}
	}
}

// logsKeepQuiet checks all that was logged so far, which is to be something.
func (w *tap) logsKeepQuiet() {
	w.t.Helper()
	for form, log := range map[string]*journal{"JSON": &w.json, "text": &w.text, "the audit": &w.audit} {
		lines := strings.Join(log.lines(), "\n")
		if lines == "" {
			w.t.Errorf("the log in %s is empty", form)
		}
		keepsQuiet(w.t, "the log in "+form, lines)
	}
}

// messageKeepsQuiet checks all of a message but its body.
func messageKeepsQuiet(t testing.TB, where string, m queue.Message) {
	t.Helper()
	m.Body = nil
	keepsQuiet(t, where, fmt.Sprintf("%+v", m))
}

// answers takes n replies, which may show a secret as a plaintext only.
func (w *tap) answers(n int) (results []schema.Result) {
	w.t.Helper()
	for range n {
		result, d := w.reply()
		messageKeepsQuiet(w.t, "a reply", d.Message)
		results = append(results, result)
		for i := range result.Items {
			result.Items[i].Plaintext = nil
		}
		var body map[string]any
		w.must(json.Unmarshal(d.Body, &body))
		items, _ := body["items"].([]any)
		for _, item := range items {
			delete(item.(map[string]any), "plaintext")
		}
		keepsQuiet(w.t, "a reply's body", fmt.Sprint(body))
	}
	return results
}

// dead takes a dead letter; of that, the body is the job as it came.
func (w *tap) dead(reason schema.Code) {
	w.t.Helper()
	d := w.take(w.receiver(servicebus.DeadLetters("jobs")))
	if got := d.Properties["DeadLetterReason"]; got != string(reason) {
		w.t.Errorf("the dead letter has reason %q, want %q", got, reason)
	}
	messageKeepsQuiet(w.t, "a dead letter", d.Message)
}

// secretKeys are keys for every operation with secrets.
func secretKeys() []localvault.KeySpec {
	return []localvault.KeySpec{{Name: "rsa", Type: "RSA"}, {Name: "oct", Type: "oct-HSM", Size: 256}}
}

// sealing lists jobs that carry the secret, one for each operation and family.
func sealing() []schema.Job {
	secret := func(key string, o schema.Operation, a schema.Algorithm) schema.Job {
		item := schema.Item{ID: "1", Plaintext: markers(48)}
		switch a.Family() {
		case schema.AESCBC:
			item.IV = make([]byte, 16)
		case schema.AESGCM:
			item.AAD = []byte("header")
		}
		return schema.Job{ID: fmt.Sprint(o, " ", a), Operation: o, Key: key, Algorithm: a, Items: []schema.Item{item}}
	}
	return []schema.Job{
		secret("rsa", schema.Encrypt, schema.RSA15), secret("rsa", schema.Encrypt, schema.RSAOAEP256), secret("rsa", schema.WrapKey, schema.RSAOAEP),
		secret("oct", schema.Encrypt, schema.A256GCM), secret("oct", schema.Encrypt, schema.A256CBCPAD), secret("oct", schema.WrapKey, schema.A256KW),
	}
}

// opening seals the secret apart from the worker, and lists jobs that undo it.
func (r *rig) opening() []schema.Job {
	r.t.Helper()
	var jobs []schema.Job
	for _, j := range sealing() {
		key, err := r.keys.Resolve(r.t.Context(), signer.Ref{Vault: vaultURL, Name: j.Key})
		r.must(err)
		plain := j.Items[0]
		j.Operation = map[schema.Operation]schema.Operation{schema.Encrypt: schema.Decrypt, schema.WrapKey: schema.UnwrapKey}[j.Operation]
		j.ID = fmt.Sprint(j.Operation, " ", j.Algorithm)
		item := schema.Item{ID: "1", AAD: plain.AAD}
		if j.Operation == schema.UnwrapKey {
			item.Ciphertext, err = r.keys.Wrap(r.t.Context(), key, j.Algorithm, plain.Plaintext)
		} else {
			var sealed signer.Sealed
			sealed, err = r.keys.Encrypt(r.t.Context(), key, j.Algorithm, signer.Plain{Text: plain.Plaintext, IV: plain.IV, AAD: plain.AAD})
			item.Ciphertext, item.IV, item.Tag = sealed.Ciphertext, sealed.IV, sealed.Tag
		}
		r.must(err)
		j.Items = []schema.Item{item}
		jobs = append(jobs, j)
	}
	return jobs
}

// tapped runs a test with keys for secrets, in virtual time.
func tapped(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newRig(t, secretKeys()...)) })
}
