package policy

import (
	"fmt"
	"slices"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Decision is what a file makes of a job.
type Decision struct {
	Producer string     // who sent it; "": the file names no producers
	By       string     // what told: "queue", "claim", or "queue and claim"; "": nothing had to
	Key      Key        // what the alias stands for
	Ref      signer.Ref // the key to use
}

// Refusal is why a job may not be done. Its text goes to the sender.
type Refusal struct {
	Code    schema.Code // CodeKeyNotAllowed or CodeReplyNotAllowed
	Rule    string      // path in the file, such as keys.invoices.algorithms
	Message string
}

// Error returns the rule and what it says.
func (r *Refusal) Error() string { return r.Rule + ": " + r.Message }

// Refused returns the code for the answer to the job.
func (r *Refusal) Refused() schema.Code { return r.Code }

func refuse(rule, format string, args ...any) *Refusal {
	return &Refusal{schema.CodeKeyNotAllowed, rule, fmt.Sprintf(format, args...)}
}

// Allow is Decide for those who need the key alone.
func (f *File) Allow(job schema.Job, m queue.Message) (signer.Ref, error) {
	d, err := f.Decide(job, m)
	if err != nil {
		return signer.Ref{}, err
	}
	return d.Ref, nil
}

// Decide says whether the sender of m may have job done. The error is a
// [*Refusal]; the Decision holds what was found out until then.
func (f *File) Decide(job schema.Job, m queue.Message) (d Decision, err error) {
	var refusal *Refusal
	if d.Producer, d.By, refusal = f.identify(job, m); refusal != nil {
		return d, refusal
	}
	k, known := f.Keys[job.Key]
	if !known {
		return d, refuse("keys", "there is no key %s; ask for one that is allowed, or have it allowed", quoted(job.Key))
	}
	d.Key = k
	at := "keys." + job.Key
	for _, check := range []func(Key, string) *Refusal{
		func(k Key, at string) *Refusal { return k.allowProducer(at, d.Producer) },
		func(k Key, at string) *Refusal { return k.allowOperation(at, job) },
		func(k Key, at string) *Refusal { return k.allowItems(at, job) },
		func(k Key, at string) *Refusal { return k.allowReply(at, m.ReplyTo, f.Replies) },
	} {
		if refusal := check(k, at); refusal != nil {
			return d, refusal
		}
	}
	d.Ref = f.Ref(k)
	return d, nil
}

func (k Key) allowProducer(at, producer string) *Refusal {
	if k.Producers != nil && !slices.Contains(k.Producers, producer) {
		return refuse(at+".producers", "%s may not use this key; ask for another one, or have it allowed", producer)
	}
	return nil
}

// allowOperation looks at the operation and its algorithm.
func (k Key) allowOperation(at string, job schema.Job) *Refusal {
	if !k.Does(job.Operation) {
		return refuse(at+".operations", "%s may not be done with this key; %s may", job.Operation, sentence(k.operations()))
	}
	if k.Algorithms != nil && job.Operation != schema.GetPublicKey && !slices.Contains(k.Algorithms, job.Algorithm) {
		return refuse(at+".algorithms", "%s may not be used with this key; %s may", job.Algorithm, sentence(k.Algorithms))
	}
	return nil
}

// allowItems looks at how many items there are, and at what they are made of.
func (k Key) allowItems(at string, job schema.Job) *Refusal {
	if n := len(job.Items); k.MaxItems > 0 && n > k.MaxItems {
		return refuse(at+".maxItems", "the job has %d items, and %d is the limit for this key; send several jobs", n, k.MaxItems)
	}
	if k.Purpose == Digests || k.Purpose == "" || job.Operation != schema.Sign {
		return nil
	}
	for _, item := range job.Items {
		if !item.FromData {
			return refuse(at+".purpose", "the key is for %s, and signs no digest of what the worker has not seen; send data instead of digest in item %s", k.Purpose, quoted(item.ID))
		}
	}
	return nil
}

// allowReply looks at where the result is to go: to ReplyTo, or else to the
// first of all reply queues.
func (k Key) allowReply(at, replyTo string, replies []string) *Refusal {
	if k.Replies == nil {
		return nil
	}
	to, hint := replyTo, ""
	if to == "" && len(replies) > 0 {
		to, hint = replies[0], ", where jobs without ReplyTo are answered"
	}
	if containsFold(k.Replies, to) {
		return nil
	}
	r := refuse(at+".replies", "results of this key do not go to %s%s; set ReplyTo to one of %s", quoted(to), hint, sentence(k.Replies))
	r.Code = schema.CodeReplyNotAllowed
	return r
}
