package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/deadletter"
	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
)

const dlqShowHelp = `Shows the dead letter with this sequence number, or the oldest one of the job
with this id: why it is dead, the message's properties, and what the job asks
for. It takes nothing from the queue.

What a job encrypts or wraps is never shown, nor the content of what cannot be
decoded: only its size and SHA-256. Of the claim of a producer, and of any other
JWT in the properties, you see whose it says it is and when it expires, never the
token; a replay carries it. --raw FILE writes the body as it came to a
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
			if c.raw != "" && files.Exists(c.raw) && !c.force {
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
	found, err := deadletter.Find(ctx, m.letters, arg)
	if err != nil {
		return m.dead(err)
	}
	if c.raw != "" {
		if err := files.Write(c.raw, found.Body, files.ForOwner); err != nil {
			return err
		}
	}
	report := deadletter.NewReport(found)
	if c.json {
		return jsonLine(c.out, report)
	}
	return printReport(c.out, report)
}

// printReport writes a report for people.
func printReport(out io.Writer, r deadletter.Report) error {
	t := display.NewTable(out)
	t.Fact("number", strconv.FormatInt(r.SequenceNumber, 10))
	t.Fact("reason", r.Reason)
	t.Fact("description", r.Description)
	t.Fact("delivery count", strconv.Itoa(r.Deliveries))
	t.Fact("came", display.Time(r.Enqueued))
	t.Fact("message id", r.MessageID)
	t.Fact("correlation id", r.CorrelationID)
	t.Fact("reply to", r.ReplyTo)
	t.Fact("reply to session", r.ReplyToSessionID)
	t.Fact("session", r.SessionID)
	t.Fact("subject", r.Subject)
	t.Fact("content type", r.ContentType)
	t.Fact("properties", propertyText(r.Properties))
	t.Fact("bytes", strconv.Itoa(r.Size))
	t.Fact("sha256", r.SHA256)
	t.Fact("job", r.JobID)
	if r.Job == nil {
		t.Fact("content", "cannot be decoded, and is not shown")
		return t.Close()
	}
	tellJob(t, r.Job)
	return t.Close()
}

// tellJob says what a job asks for.
func tellJob(t display.Table, r *deadletter.Job) {
	t.Fact("operation", string(r.Operation))
	t.Fact("key", r.Key)
	t.Fact("algorithm", string(r.Algorithm))
	if r.NotAfter != nil {
		t.Fact("not after", display.Time(*r.NotAfter))
	}
	t.Fact("labels", display.Tags(r.Labels))
	t.Fact("items", strconv.Itoa(r.Items))
	for _, item := range r.First {
		digest := ""
		if item.Digest != "" {
			digest = " digest " + item.Digest
		}
		t.Fact("item", fmt.Sprintf("%s%s", item.ID, digest))
	}
	if more := r.Items - len(r.First); more > 0 {
		t.Fact("and", strconv.Itoa(more)+" more")
	}
}

// propertyText writes application properties in the order of their names.
func propertyText(properties map[string]any) string {
	words := make([]string, 0, len(properties))
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		words = append(words, fmt.Sprintf("%s=%v", name, properties[name]))
	}
	return strings.Join(words, ", ")
}
