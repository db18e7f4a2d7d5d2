package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/estimate"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker/policy"
)

const policyExplainHelp = `Tells whether a policy allows a job, by which rule, with which key, and what it
costs the vault's quota. It does nothing and asks nobody. What a message has besides
its body is given by flags. Exit code 3 means that the job is refused.`

const policyExplainExamples = `  signmill policy explain --policy policy.yaml job.json
  signmill policy explain --policy policy.yaml --queue jobs-billing --reply-to replies-billing job.json
  signmill policy explain --policy policy.yaml --property signmill-producer="$TOKEN" job.json`

// policyExplain are the flags of policy explain.
type policyExplain struct {
	streams
	file       policyFile
	queue      string
	replyTo    string
	properties []string
	json       bool
}

func newPolicyExplain(s streams) *cobra.Command {
	o := policyExplain{streams: s}
	cmd := &cobra.Command{
		Use:     "explain JOB",
		Short:   "Tell whether a policy allows a job, and why",
		Long:    policyExplainHelp,
		Example: policyExplainExamples,
		Args:    usage(cobra.ExactArgs(1)),
		RunE:    func(_ *cobra.Command, args []string) error { return o.run(args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&o.file.path, "policy", "", "the `FILE` with the policy")
	f.StringVar(&o.file.jobs, "jobs", "jobs", "the job queue of producers without one of their own")
	f.StringVar(&o.queue, "queue", "", "the queue that the job comes in on (default --jobs)")
	f.StringVar(&o.replyTo, "reply-to", "", "the message's ReplyTo")
	f.StringArrayVar(&o.properties, "property", nil, "an application property of the message, as `NAME=VALUE`; may be repeated")
	f.BoolVar(&o.file.local, "local", false, "take vaults on this machine, as a worker does beside a broker there")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	unbind(f, "queue")
	completePlain(cmd)
	return cmd
}

func (o policyExplain) run(job string) error {
	if o.file.path == "" {
		return usagef("--policy is missing: the file with the policy")
	}
	f, err := o.file.read()
	var faults policy.Faults
	if errors.As(err, &faults) {
		return fmt.Errorf("%s is wrong:\n%w", display.OneLine(o.file.path), err)
	} else if err != nil {
		return err
	}
	m, err := o.message(job)
	if err != nil {
		return err
	}
	decoded, err := schema.Decode(m.Body, schema.Limits{})
	if err != nil {
		return fmt.Errorf("%s: %w", display.OneLine(job), err)
	}
	x := explain(f, decoded, m)
	if o.json {
		err = jsonLine(o.out, x)
	} else {
		_, err = io.WriteString(o.out, x.text())
	}
	if err == nil && !x.Allowed {
		return &exit{code: exitProblems}
	}
	return err
}

// message is the one that the job would be in.
func (o policyExplain) message(job string) (m queue.Message, err error) {
	m = queue.Message{Queue: o.queue, ReplyTo: o.replyTo, Properties: map[string]any{}}
	if m.Queue == "" {
		m.Queue = o.file.jobs
	}
	for _, text := range o.properties {
		name, value, named := strings.Cut(text, "=")
		if !named || name == "" {
			return m, usagef("--property: a value without a name, which may be a token and is not shown: use NAME=VALUE")
		}
		m.Properties[name] = value
	}
	in := o.in
	if job != "-" {
		f, err := os.Open(job)
		if err != nil {
			return m, display.Error(err)
		}
		defer f.Close() //nolint:errcheck // only read
		in = f
	}
	m.Body, err = io.ReadAll(io.LimitReader(in, schema.DefaultMaxBytes+1))
	return m, err
}

// explanation is what a policy makes of a job.
type explanation struct {
	Allowed  bool      `json:"allowed"`
	Rule     string    `json:"rule"`
	Reason   string    `json:"reason,omitempty"`   // of a refusal
	Code     string    `json:"code,omitempty"`     // of a refusal
	Producer string    `json:"producer,omitempty"` // absent: the policy names none
	By       string    `json:"by,omitempty"`       // what told the producer
	Key      string    `json:"key,omitempty"`      // identifier, without a version for the latest
	Items    int       `json:"items"`
	Costs    []keyCost `json:"costs,omitempty"` // by what the key may be
}

// keyCost is what a job costs with one type of key.
type keyCost struct {
	Kind  string `json:"kind"`
	Calls int64  `json:"calls"`
	Units int64  `json:"units"`
}

func explain(f *policy.File, job schema.Job, m queue.Message) explanation {
	d, err := f.Decide(job, m)
	x := explanation{Allowed: err == nil, Rule: "keys." + job.Key, Producer: d.Producer, By: d.By, Items: len(job.Items)}
	var refusal *policy.Refusal
	if errors.As(err, &refusal) {
		x.Rule, x.Reason, x.Code = refusal.Rule, refusal.Message, string(refusal.Code)
		return x
	}
	x.Key = strings.TrimSuffix(d.Ref.Vault+"/keys/"+d.Ref.Name+"/"+d.Ref.Version, "/")
	vault := f.Vaults[d.Key.Vault]
	for _, k := range estimate.Kinds() {
		if !fitsKind(k.Class, job) {
			continue
		}
		calls := int64(len(job.Items)) * estimate.Calls(k.Class, job.Operation)
		x.Costs = append(x.Costs, keyCost{k.Name, calls, calls * int64(vault.Costs.Of(k.Class))})
	}
	return x
}

// fitsKind reports whether a job could be done with a type of key.
func fitsKind(c quota.Class, job schema.Job) bool {
	switch {
	case job.Operation == schema.GetPublicKey:
		return false // the worker has read the key anyway
	case job.Algorithm.Symmetric():
		return c.Type == quota.Oct
	case job.Algorithm.Curve() != "":
		return c.Curve == job.Algorithm.Curve()
	}
	return c.Type == quota.RSA
}

// text is an explanation for people.
func (x explanation) text() string {
	var b strings.Builder
	if !x.Allowed {
		fmt.Fprintf(&b, "refused: %s: %s\n", x.Rule, plain(x.Reason))
		return b.String()
	}
	fmt.Fprintf(&b, "allowed: %s\n", x.Rule)
	if x.Producer != "" {
		fmt.Fprintf(&b, "producer: %s, told by %s\n", x.Producer, x.By)
	}
	fmt.Fprintf(&b, "key: %s\n", x.Key)
	for _, c := range x.Costs {
		fmt.Fprintf(&b, "cost: %s in %s, if it is %s\n", count(c.Units, "unit"), count(c.Calls, "call"), c.Kind)
	}
	return b.String()
}
