package policy

import (
	"strconv"
	"strings"
	"testing"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

const ruled = `version: signmill.policy/v1
vaults:
  prod: {url: https://example.vault.azure.net/}
producers:
  billing: {queue: jobs-billing}
  other: {queue: jobs-other}
keys:
  invoices:
    vault: prod
    key: Invoices
    algorithms: [ES256, ES384]
    operations: [sign, getPublicKey]
    maxItems: 2
    producers: [billing]
    replies: [replies-billing]
  plain: {vault: prod, key: plain, version: 0123456789ABCDEF0123456789ABCDEF}
  ca: {vault: prod, key: ca, purpose: certificates, operations: [sign, verify]}
  jwt: {vault: prod, key: jwt, purpose: tokens}
replies: [replies, replies-billing]
`

func parse(t testing.TB, text string) *File {
	t.Helper()
	f, err := Parse([]byte(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// job returns a job to sign with one item for each letter: d is a digest, and
// D data.
func job(key, items string) schema.Job {
	j := schema.Job{ID: "1", Operation: schema.Sign, Key: key, Algorithm: schema.ES256}
	for _, c := range items {
		j.Items = append(j.Items, schema.Item{ID: string(c), FromData: c == 'D'})
	}
	return j
}

func TestDecide(t *testing.T) {
	t.Parallel()
	f := parse(t, ruled)
	on := func(q, replyTo string) queue.Message { return queue.Message{ID: "1", Queue: q, ReplyTo: replyTo} }
	billing := on("jobs-billing", "replies-billing")
	with := func(j schema.Job, o schema.Operation, a schema.Algorithm) schema.Job {
		j.Operation, j.Algorithm = o, a
		return j
	}
	tests := []struct {
		name    string
		job     schema.Job
		message queue.Message
		want    string // of the error; "": allowed
		code    schema.Code
	}{
		{name: "allowed", job: job("invoices", "dD"), message: billing},
		{name: "names of queues know no case", job: job("invoices", "d"), message: on("Jobs-Billing", "Replies-BILLING")},
		{name: "another algorithm", job: with(job("invoices", "d"), schema.Sign, schema.ES384), message: billing},
		{name: "no algorithm", job: with(job("invoices", "d"), schema.GetPublicKey, ""), message: billing},
		{name: "defaults", job: job("plain", "ddd"), message: on("jobs-other", "")},
		{name: "data for a certificate", job: job("ca", "DD"), message: on("jobs-other", "")},
		{name: "verify needs no data", job: with(job("ca", "d"), schema.Verify, schema.ES256), message: on("jobs-other", "")},

		{name: "nobody's queue", job: job("plain", "d"), message: on("jobs", ""), want: `producers: nothing tells who sent this job: send it on the producer's own queue, or with a claim in the application property signmill-producer`},
		{name: "no queue", job: job("plain", "d"), message: on("", ""), want: `producers: nothing tells who sent this job: send it on the producer's own queue, or with a claim in the application property signmill-producer`},
		{name: "unknown alias", job: job("Invoices", "d"), message: billing, want: `keys: there is no key "Invoices"; ask for one that is allowed, or have it allowed`},
		{name: "a URL as alias", job: job("https://evil.example.org/keys/x", "d"), message: billing, want: `keys: there is no key "https://evil.example.org/keys/x"; ask for one that is allowed, or have it allowed`},
		{name: "another producer", job: job("invoices", "d"), message: on("jobs-other", "replies-billing"), want: `keys.invoices.producers: other may not use this key; ask for another one, or have it allowed`},
		{name: "operation", job: with(job("invoices", "d"), schema.Decrypt, schema.RSAOAEP), message: billing, want: `keys.invoices.operations: decrypt may not be done with this key; sign, getPublicKey may`},
		{name: "operation that is not the default", job: with(job("plain", "d"), schema.Verify, schema.ES256), message: billing, want: `keys.plain.operations: verify may not be done with this key; sign may`},
		{name: "algorithm", job: with(job("invoices", "d"), schema.Sign, schema.RS256), message: billing, want: `keys.invoices.algorithms: RS256 may not be used with this key; ES256, ES384 may`},
		{name: "items", job: job("invoices", "ddd"), message: billing, want: `keys.invoices.maxItems: the job has 3 items, and 2 is the limit for this key; send several jobs`},
		{name: "a digest for a certificate", job: job("ca", "Dd"), message: on("jobs-other", ""), want: `keys.ca.purpose: the key is for certificates, and signs no digest of what the worker has not seen; send data instead of digest in item "d"`},
		{name: "a digest for a token", job: job("jwt", "d"), message: on("jobs-other", ""), want: `keys.jwt.purpose: the key is for tokens, and signs no digest of what the worker has not seen; send data instead of digest in item "d"`},
		{name: "reply queue", job: job("invoices", "d"), message: on("jobs-billing", "replies"), code: schema.CodeReplyNotAllowed,
			want: `keys.invoices.replies: results of this key do not go to "replies"; set ReplyTo to one of replies-billing`},
		{name: "reply queue of jobs without", job: job("invoices", "d"), message: on("jobs-billing", ""), code: schema.CodeReplyNotAllowed,
			want: `keys.invoices.replies: results of this key do not go to "replies", where jobs without ReplyTo are answered; set ReplyTo to one of replies-billing`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d, err := f.Decide(test.job, test.message)
			ref, allowErr := f.Allow(test.job, test.message)
			if (err == nil) != (allowErr == nil) || ref != d.Ref {
				t.Errorf("Allow says %v, %v and Decide %v, %v", ref, allowErr, d.Ref, err)
			}
			if test.want == "" {
				if err != nil || d.Ref.Name == "" {
					t.Errorf("got %+v, %v, want it allowed", d, err)
				}
				return
			}
			if err == nil || err.Error() != test.want || d.Ref != (signer.Ref{}) {
				t.Fatalf("got %+v, %v\nwant %v", d, err, test.want)
			}
			if test.code == "" {
				test.code = schema.CodeKeyNotAllowed
			}
			if got := err.(*Refusal).Refused(); got != test.code {
				t.Errorf("code: got %s, want %s", got, test.code)
			}
		})
	}
}

// TestDecisionTellsWho has what an audit needs.
func TestDecisionTellsWho(t *testing.T) {
	t.Parallel()
	f := parse(t, ruled)
	d, err := f.Decide(job("invoices", "d"), queue.Message{Queue: "jobs-billing", ReplyTo: "replies-billing"})
	if err != nil || d.Producer != "billing" || d.By != "queue" {
		t.Errorf("got %+v, %v", d, err)
	}
	if want := (signer.Ref{Vault: "https://example.vault.azure.net", Name: "Invoices"}); d.Ref != want {
		t.Errorf("got %+v, want %+v", d.Ref, want)
	}
	d, err = f.Decide(job("plain", "d"), queue.Message{Queue: "jobs-other"})
	if err != nil || d.Ref.Version != "0123456789abcdef0123456789abcdef" {
		t.Errorf("got %+v, %v, want the version in lower case", d, err)
	}
}

// TestEverybody has a file without producers: who may write to the queue may
// send, and a claim is not looked at.
func TestEverybody(t *testing.T) {
	t.Parallel()
	text := strings.Replace(ruled, "producers:\n  billing: {queue: jobs-billing}\n  other: {queue: jobs-other}\n", "", 1)
	f := parse(t, strings.Replace(text, "    producers: [billing]\n", "", 1))
	m := queue.Message{Queue: "jobs", ReplyTo: "replies-billing", Properties: map[string]any{ClaimProperty: "nonsense"}}
	if d, err := f.Decide(job("invoices", "d"), m); err != nil || d.Producer != "" || d.By != "" {
		t.Errorf("got %+v, %v", d, err)
	}
}

// TestZeroFile allows nothing.
func TestZeroFile(t *testing.T) {
	t.Parallel()
	if _, err := (&File{}).Decide(job("invoices", "d"), queue.Message{}); err == nil {
		t.Error("it allows a key")
	}
}

// TestRefusalsFitIntoAnAnswer refuses with the longest lists there are.
func TestRefusalsFitIntoAnAnswer(t *testing.T) {
	t.Parallel()
	k := Key{Algorithms: schema.Algorithms(), Operations: schema.Operations(), Producers: []string{"x"}}
	for i := range 100 {
		k.Replies = append(k.Replies, strings.Repeat("q", 255)+strconv.Itoa(i))
	}
	j := job(strings.Repeat("k", schema.MaxKey), "d")
	j.Algorithm = "other"
	for name, r := range map[string]*Refusal{
		"operation": Key{Operations: schema.Operations()[1:]}.allowOperation("keys."+j.Key, j),
		"algorithm": k.allowOperation("keys."+j.Key, j),
		"reply":     k.allowReply("keys."+j.Key, strings.Repeat("r", 260), nil),
	} {
		if r == nil || len(r.Error()) > schema.MaxMessage {
			t.Errorf("%s: got %v", name, r)
		}
	}
}
