package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/deadletter"
	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

const dlqListHelp = `Lists dead letters, oldest first, and says at the end how many there are for
which reason. It takes nothing from the queue: no lock, no delivery count.

REASON is a word from a fixed list, or the broker's. JOB is the id in the job, if
that can be read. COUNT is the broker's delivery count, CAME when the job came to the
queue.`

func newDLQList(o *dlqOptions) *cobra.Command {
	var flags filterFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters",
		Long:  dlqListHelp,
		Example: `  signmill dlq list --reason attempts_exhausted --since 2h
  signmill dlq list --json | jq -r .jobId`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := flags.filter(time.Now())
			if err != nil {
				return err
			}
			return o.looking(cmd, func(ctx context.Context, m *morgue) error { return o.list(ctx, m, filter) })
		},
	}
	flags.add(cmd)
	return cmd
}

// list prints line by line, so that a million take no memory.
func (o *dlqOptions) list(ctx context.Context, m *morgue, filter deadletter.Filter) error {
	var all deadletter.Census
	for found, err := range deadletter.Scan(ctx, m.letters, filter) {
		if err != nil {
			return m.dead(err)
		}
		l := deadletter.New(found.Message, found.Receipt)
		if err := o.printLetter(l, all.Total == 0); err != nil {
			return err
		}
		all.Add(l)
	}
	fmt.Fprintf(o.err, "signmill: %s\n", &all)
	return nil
}

// letterColumns are wide enough for what is usual; what is longer moves its own
// line only.
const letterColumns = "%-10s  %-36s  %-24s  %5s  %-20s  %8s  %s\n"

func (o *dlqOptions) printLetter(l deadletter.Letter, first bool) error {
	if o.json {
		return jsonLine(o.out, l)
	}
	if first {
		if _, err := fmt.Fprintf(o.out, letterColumns, "NUMBER", "JOB", "REASON", "COUNT", "CAME", "BYTES", "DESCRIPTION"); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(o.out, letterColumns, strconv.FormatInt(l.SequenceNumber, 10), cell(l.JobID, 128), cell(l.Reason, 60),
		strconv.Itoa(l.Deliveries), display.Time(l.Enqueued), strconv.Itoa(l.Size), cell(l.Description, 200))
	return err
}

// cell is a text that others have written, in one column of a line.
func cell(text string, runes int) string {
	if text == "" {
		return "-"
	}
	return display.Cut(strings.TrimSpace(display.Printable(text)), runes)
}
