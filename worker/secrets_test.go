package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
)

// TestSecretsComeBackInPlaintextsOnly does every operation with secrets.
func TestSecretsComeBackInPlaintextsOnly(t *testing.T) {
	tapped(t, func(t *testing.T, r *rig) {
		jobs := slices.Concat(sealing(), r.opening())
		w := r.tap(r.vault.RoundTripper())
		w.start()
		for _, j := range jobs {
			w.submit(j)
			result := w.answers(1)[0]
			if result.Status != schema.Succeeded {
				t.Errorf("%s: %+v", j.ID, result)
			}
		}
		w.logsKeepQuiet()
	})
}

// TestRefusalsKeepSecrets has jobs with secrets fail in each way that is final.
func TestRefusalsKeepSecrets(t *testing.T) {
	tests := map[string]struct {
		change func(j *schema.Job)
		code   schema.Code
	}{
		"a key that is not allowed": {func(j *schema.Job) { j.Key = "other" }, schema.CodeKeyNotAllowed},
		"a key that is not there":   {func(j *schema.Job) { j.Key = "gone" }, schema.CodeKeyNotFound},
		"a key that does not fit":   {func(j *schema.Job) { j.Key = "ec" }, schema.CodeAlgorithmNotFitting},
		"a job that is too late":    {func(j *schema.Job) { j.NotAfter = time.Now().Add(1) }, schema.CodeExpired},
		"a part that is spoilt": {func(j *schema.Job) {
			if j.Items[0].Plaintext == nil {
				j.Items[0].Ciphertext[0] ^= 1
			} else {
				j.Key = "other"
			}
		}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tapped(t, func(t *testing.T, r *rig) {
				jobs := slices.Concat(sealing(), r.opening())
				w := r.tap(r.vault.RoundTripper())
				w.start()
				for _, j := range jobs {
					tt.change(&j)
					w.submit(j)
					result := w.answers(1)[0]
					if e := result.Items[0].Error; tt.code != "" && (e == nil || e.Code != tt.code) {
						t.Errorf("%s: %+v, want %s", j.ID, result, tt.code)
					}
				}
				w.logsKeepQuiet()
			})
		})
	}
}

// echo is a vault, or something in front of one, whose texts repeat what it was
// asked.
type echo struct {
	http.RoundTripper
	status int
	body   string // %s stands for the request's
}

func (e echo) RoundTrip(req *http.Request) (*http.Response, error) {
	operation := req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
	if req.Method != http.MethodPost || req.Body == nil || req.ContentLength == 0 {
		return e.RoundTripper.RoundTrip(req)
	}
	asked, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	text := strings.NewReplacer("%s", strings.ReplaceAll(string(asked), `"`, `'`), "%o", operation).Replace(e.body)
	return &http.Response{
		StatusCode: e.status, Status: http.StatusText(e.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)),
	}, nil
}

// TestVaultThatRepeatsSecrets has a vault quote in its refusals and broken
// answers what it was asked to encrypt.
func TestVaultThatRepeatsSecrets(t *testing.T) {
	tests := map[string]echo{
		"a refusal":         {status: 400, body: `{"error":{"code":"BadParameter","message":"cannot use %s"}}`},
		"a prohibition":     {status: 403, body: `{"error":{"code":"Forbidden","message":"may not use %s"}}`},
		"something missing": {status: 404, body: `{"error":{"code":"KeyNotFound","message":"no %s"}}`},
		"no JSON":           {status: 200, body: `%s`},
		"another type":      {status: 200, body: `{"kid":"https://test.vault.azure.net/keys/oct/0123456789abcdef0123456789abcdef","value":["%s"]}`},
		"no base64":         {status: 200, body: `{"kid":"https://test.vault.azure.net/keys/oct/0123456789abcdef0123456789abcdef","value":"%s"}`},
	}
	for name, e := range tests {
		t.Run(name, func(t *testing.T) {
			tapped(t, func(t *testing.T, r *rig) {
				e.RoundTripper = r.vault.RoundTripper()
				w := r.tap(e)
				w.start()
				for _, j := range sealing() {
					w.submit(j)
					w.answers(1)
				}
				w.logsKeepQuiet()
			})
		})
	}
}

// TestPartialResultKeepsSecrets opens one item of two.
func TestPartialResultKeepsSecrets(t *testing.T) {
	tapped(t, func(t *testing.T, r *rig) {
		jobs := r.opening()
		w := r.tap(r.vault.RoundTripper())
		w.start()
		for _, j := range jobs {
			if j.Algorithm.Family() == schema.RSAES || j.Algorithm.Family() == schema.AESCBC {
				continue // these may take what is spoilt for another plaintext
			}
			spoilt := j.Items[0]
			spoilt.ID, spoilt.Ciphertext = "2", bytes.Clone(spoilt.Ciphertext)
			spoilt.Ciphertext[3] ^= 1
			j.Items = append(j.Items, spoilt)
			w.submit(j)
			if result := w.answers(1)[0]; result.Status != schema.Partial {
				t.Errorf("%s: %+v, want a partial result", j.ID, result)
			}
		}
		w.logsKeepQuiet()
	})
}

// TestExhaustedAttemptsKeepSecrets has every attempt fail: by a vault that is
// down, and by a reply that cannot be sent.
func TestExhaustedAttemptsKeepSecrets(t *testing.T) {
	for name, replyTo := range map[string]string{"vault down": "", "reply refused": "private"} {
		t.Run(name, func(t *testing.T) {
			tapped(t, func(t *testing.T, r *rig) {
				jobs := slices.Concat(sealing()[3:], r.opening())
				w := r.tap(r.vault.RoundTripper())
				if replyTo == "" {
					w.vault.SetFaults(localvault.Faults{Fail: 1 << 30, DropAnswer: 1 << 30})
				}
				w.start()
				for _, j := range jobs {
					w.send(queue.Message{ID: j.ID, Body: w.encode(j), ReplyTo: replyTo})
					w.dead(schema.CodeAttemptsExhausted)
					if replyTo == "" {
						w.answers(1)
					}
				}
				w.logsKeepQuiet()
			})
		})
	}
}

// blabbing has defects that tell what they came across.
type blabbing struct{ signer.Keys }

func (b blabbing) Encrypt(_ context.Context, _ signer.Key, _ schema.Algorithm, p signer.Plain) (signer.Sealed, error) {
	panic(fmt.Sprintf("cannot encrypt %s, %x", []byte(p.Text), []byte(p.Text)))
}

func (b blabbing) Wrap(_ context.Context, _ signer.Key, _ schema.Algorithm, text schema.Secret) ([]byte, error) {
	panic([]byte(text))
}

func (b blabbing) Decrypt(ctx context.Context, key signer.Key, a schema.Algorithm, s signer.Sealed) (schema.Secret, error) {
	text, _ := b.Keys.Decrypt(ctx, key, a, s)
	panic(fmt.Errorf("cannot return %s", []byte(text)))
}

func (b blabbing) Unwrap(ctx context.Context, key signer.Key, a schema.Algorithm, wrapped []byte) (schema.Secret, error) {
	text, _ := b.Keys.Unwrap(ctx, key, a, wrapped)
	panic(struct{ Key []byte }{text})
}

// TestPanicsKeepSecrets has the signer panic with the secret in its hands.
func TestPanicsKeepSecrets(t *testing.T) {
	tapped(t, func(t *testing.T, r *rig) {
		jobs := slices.Concat(sealing(), r.opening())
		w := r.tap(r.vault.RoundTripper())
		w.config.Keys = blabbing{w.config.Keys}
		w.start()
		for _, j := range jobs {
			w.submit(j)
			result := w.answers(1)[0]
			if e := result.Items[0].Error; e == nil || e.Code != schema.CodeInternal {
				t.Errorf("%s: %+v, want %s", j.ID, result, schema.CodeInternal)
			}
		}
		w.logsKeepQuiet()
	})
}

// blabbingPolicy panics with the whole job.
type blabbingPolicy struct{}

func (blabbingPolicy) Allow(j schema.Job, _ queue.Message) (signer.Ref, error) {
	panic(fmt.Sprintf("no policy for %s", []byte(j.Items[0].Plaintext)))
}

// TestPanicOfAPolicyKeepsSecrets ends in the dead-letter queue.
func TestPanicOfAPolicyKeepsSecrets(t *testing.T) {
	tapped(t, func(t *testing.T, r *rig) {
		w := r.tap(r.vault.RoundTripper())
		w.config.Policy = blabbingPolicy{}
		w.start()
		w.submit(sealing()[0])
		w.dead(schema.CodeAttemptsExhausted)
		w.logsKeepQuiet()
	})
}

// TestUndecodableJobsKeepSecrets sends what is no job and carries the secret
// where secrets stand.
func TestUndecodableJobsKeepSecrets(t *testing.T) {
	body, err := sealing()[1].Encode(schema.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	right := string(body)
	sealed := right[strings.Index(right, `"plaintext":"`)+len(`"plaintext":"`) : strings.LastIndex(right, `"}]`)]
	plaintext := `"plaintext":"` + sealed + `"`
	with := func(old, with string) string {
		if !strings.Contains(right, old) {
			t.Fatalf("%q is not in %s", old, right)
		}
		return strings.Replace(right, old, with, 1)
	}
	raw := strings.Repeat(piece, 20)
	tests := map[string]string{
		"cut off":              right[:len(right)-20],
		"no JSON at all":       raw,
		"a string":             `"` + raw + `"`,
		"not base64url":        with(plaintext, `"plaintext":"`+raw+`"`),
		"base64 of old":        with(plaintext, `"plaintext":"`+sealed+`=="`),
		"a bad escape":         with(plaintext, `"plaintext":"`+sealed+`\x"`),
		"a control character":  with(plaintext, `"plaintext":"`+sealed+"\n"+`"`),
		"not UTF-8":            with(plaintext, `"plaintext":"`+sealed+"\xff"+`"`),
		"twice":                with(plaintext, plaintext+","+plaintext),
		"too long for the key": with(sealed, strings.Repeat(sealed, 20)),
		"in a list":            with(plaintext, `"plaintext":["`+sealed+`"]`),
		"in an object":         with(plaintext, `"plaintext":{"raw":"`+raw+`"}`),
		"under another name":   with(plaintext, `"plainText":"`+sealed+`"`),
		"in the job":           with(`"items"`, plaintext+`,"items"`),
		"of another operation": with(`"operation":"encrypt"`, `"operation":"decrypt"`),
		"of another algorithm": with(`"RSA-OAEP-256"`, `"ES256"`),
		"of another version":   with(`job/v1`, `job/v2`),
		"without an id":        with(`"id":"1",`, ""),
		"as a ciphertext":      with(`"plaintext"`, `"ciphertext"`),
		"as an iv":             with(plaintext, plaintext+`,"iv":"`+sealed+`"`),
		"as data":              with(plaintext, `"data":"`+sealed+`"`),
		"followed by more":     right + raw,
		"too large":            with(sealed, strings.Repeat(sealed, 100)),
	}
	tapped(t, func(t *testing.T, r *rig) {
		w := r.tap(r.vault.RoundTripper())
		w.config.Limits = schema.Limits{MaxBytes: 4096}
		w.start()
		n := 0
		for name, body := range tests {
			_, err := schema.Decode([]byte(body), w.config.Limits)
			if err == nil {
				t.Errorf("%s: it is a job", name)
				continue
			}
			keepsQuiet(t, name+": the error", fmt.Sprintf("%v %+v %#v", err, err, err))
			w.send(queue.Message{ID: fmt.Sprint("m", n), Body: []byte(body)})
			d := w.take(w.receiver(servicebus.DeadLetters("jobs")))
			messageKeepsQuiet(t, name+": the dead letter", d.Message)
			if invalid, ok := err.(*schema.Invalid); ok && invalid.JobID != "" {
				w.answers(1)
			}
			n++
		}
		w.logsKeepQuiet()
	})
}
