package campaign

import (
	"context"
	"fmt"

	"github.com/signmill/signmill/cmd/signmill/internal/exchange"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/schema"
)

// signing signs the files of a plan: it submits jobs, follows the replies,
// and records what comes back.
type signing struct {
	config
	*exchange.Exchange[[]files.Document]
}

// config says how. All fields are required.
type config struct {
	Links
	Plan      *plan
	Key       string
	Algorithm schema.Algorithm

	Record  *recorder
	Hashers int // files read at once
}

func newSigning(c config) *signing {
	c.Advice = fmt.Sprintf("check that a worker serves the job queue and may use key %q, then continue with --resume", c.Key)
	return &signing{config: c, Exchange: exchange.New[[]files.Document](c.Config)}
}

// run returns when every submitted job is answered; see exchange.
func (c *signing) run(soft, hard context.Context) error {
	return c.Exchange.Run(soft, hard, c.submit, c.answer)
}

// answer records the reply to a job. What it says is on disk before the broker
// forgets it.
func (c *signing) answer(ctx context.Context, id string, documents []files.Document, body []byte) error {
	return c.Record.record(c.judge(ctx, id, documents, body))
}

// failure is the outcome of a file without a signature.
func (c *signing) failure(d files.Document, e manifest.Failure) outcome {
	o := c.outcome(d)
	o.Status, o.Error = manifest.Failed, &e
	return o
}

func (c *signing) outcome(d files.Document) outcome {
	o := outcome{Entry: manifest.Entry{Path: d.Path, Size: d.Size, Algorithm: c.Algorithm}}
	if d.Digest != nil {
		o.Digest = manifest.DigestText(c.Algorithm, d.Digest)
	}
	return o
}

// refusal is an error of the worker as an entry shows it.
func refusal(e *schema.Error) manifest.Failure {
	return manifest.Failure{Code: string(e.Code), Message: e.Message, Retryable: e.Retryable}
}
