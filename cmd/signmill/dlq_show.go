package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

const dlqShowHelp = `Shows the dead letter with this sequence number, or the oldest one of the job
with this id: why it is dead, the message's properties, and what the job asks
for. It takes nothing from the queue.

What a job encrypts or wraps is never shown, nor the content of what cannot be
decoded: only its size and SHA-256. --raw FILE writes the body as it came to a
file that only its owner may read.`

// dlqShow is the command show.
type dlqShow struct {
	*dlqOptions
	raw   string
	force bool
}

func newDLQShow(o *dlqOptions) *cobra.Command {
	c := &dlqShow{dlqOptions: o}
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a dead letter",
		Long:    dlqShowHelp,
		Example: "  signmill dlq show 1042\n  signmill dlq show 2f1c4a3e-batch-7 --raw job.json",
		Args:    oneArg("ID, a sequence number or a job id,"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.raw != "" && exists(c.raw) && !c.force {
				return usagef("%s is there already: use --force to overwrite it", display.OneLine(c.raw))
			}
			return o.looking(cmd, func(ctx context.Context, m *morgue) error { return c.run(ctx, m, args[0]) })
		},
	}
	cmd.Flags().StringVar(&c.raw, "raw", "", "also write the body to this `FILE`")
	cmd.Flags().BoolVar(&c.force, "force", false, "overwrite what is there")
	return cmd
}

func (c *dlqShow) run(ctx context.Context, m *morgue, arg string) error {
	found, err := findLetter(ctx, m.letters, arg)
	if err != nil {
		return m.dead(err)
	}
	if c.raw != "" {
		if err := writeFileMode(c.raw, found.Body, forOwner); err != nil {
			return err
		}
	}
	report := newLetterReport(found)
	if c.json {
		return jsonLine(c.out, report)
	}
	return report.print(c.out)
}

// errNoLetter means that nothing is what was asked for.
var errNoLetter = errors.New("there is none with that sequence number or job id; dlq list shows what there is")

// findLetter returns the dead letter with a sequence number, or else the first one of
// a job.
func findLetter(ctx context.Context, b queue.Browser, arg string) (queue.Browsed, error) {
	if number, err := strconv.ParseInt(arg, 10, 64); err == nil {
		page, err := b.Browse(ctx, number, 1)
		if err != nil || len(page) > 0 && page[0].SequenceNumber == number {
			return firstOf(page), err
		}
	}
	for m, err := range scan(ctx, b, letterFilter{jobs: []string{arg}}, 0) {
		return m, err
	}
	return queue.Browsed{}, errNoLetter
}

func firstOf(page []queue.Browsed) (m queue.Browsed) {
	if len(page) > 0 {
		m = page[0]
	}
	return m
}

// letterReport is all that show tells.
type letterReport struct {
	letter
	CorrelationID    string         `json:"correlationId,omitempty"`
	ReplyTo          string         `json:"replyTo,omitempty"`
	ReplyToSessionID string         `json:"replyToSessionId,omitempty"`
	SessionID        string         `json:"sessionId,omitempty"`
	Subject          string         `json:"subject,omitempty"`
	ContentType      string         `json:"contentType,omitempty"`
	Properties       map[string]any `json:"properties,omitempty"` // without those of the dead letter
	SHA256           string         `json:"sha256"`               // of the body, base64url
	Job              *jobReport     `json:"job,omitempty"`        // nil: it cannot be decoded
}

// jobReport is what a job asks for, without what it must not show.
type jobReport struct {
	Operation schema.Operation  `json:"operation"`
	Key       string            `json:"key"`
	Algorithm schema.Algorithm  `json:"algorithm,omitempty"`
	NotAfter  *time.Time        `json:"notAfter,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Items     int               `json:"items"`
	First     []itemReport      `json:"first"` // some of the items
}

type itemReport struct {
	ID     string `json:"id"`
	Digest string `json:"digest,omitempty"` // base64url, of sign and verify
}

// shownItems is how many items of a job are named.
const shownItems = 5

func newLetterReport(m queue.Browsed) letterReport {
	sum := sha256.Sum256(m.Body)
	r := letterReport{
		letter:        newLetter(m.Message, m.Receipt),
		CorrelationID: m.CorrelationID, ReplyTo: m.ReplyTo, ReplyToSessionID: m.ReplyToSessionID, SessionID: m.SessionID,
		Subject: m.Subject, ContentType: m.ContentType, Properties: livingProperties(m.Properties),
		SHA256: base64.RawURLEncoding.EncodeToString(sum[:]),
	}
	if job, _ := readJob(m.Body); job != nil {
		r.Job = newJobReport(*job)
	}
	return r
}

func newJobReport(job schema.Job) *jobReport {
	r := &jobReport{Operation: job.Operation, Key: job.Key, Algorithm: job.Algorithm, Labels: job.Labels, Items: len(job.Items)}
	if !job.NotAfter.IsZero() {
		r.NotAfter = &job.NotAfter
	}
	for _, item := range job.Items[:min(len(job.Items), shownItems)] {
		r.First = append(r.First, itemReport{item.ID, base64.RawURLEncoding.EncodeToString(item.Digest)})
	}
	return r
}

// livingProperties are the application properties that the sender has set.
func livingProperties(all map[string]any) map[string]any {
	living := maps.Clone(all)
	delete(living, propertyReason)
	delete(living, propertyDescription)
	return living
}

// propertyText writes application properties in the order of their names.
func propertyText(properties map[string]any) string {
	words := make([]string, 0, len(properties))
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		words = append(words, fmt.Sprintf("%s=%v", name, properties[name]))
	}
	return strings.Join(words, ", ")
}
