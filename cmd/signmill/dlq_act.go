package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/deadletter"
	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// dlqAct is a command that acts on dead letters: replay or purge.
type dlqAct struct {
	*dlqOptions
	filterFlags
	yes, dry bool
	wait     time.Duration
	words    display.Words
	warning  string // what it means, for the question
	ready    func(context.Context, *morgue) (deadletter.Act, error)
}

// newDLQAct completes a command that acts.
func newDLQAct(cmd *cobra.Command, c *dlqAct) *cobra.Command {
	cmd.Args = noArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return c.run(cmd) }
	f := cmd.Flags()
	c.add(cmd)
	f.BoolVar(&c.yes, "yes", false, "do not ask")
	f.BoolVar(&c.dry, "dry-run", false, "count, and do nothing")
	f.DurationVar(&c.wait, "wait", time.Minute, "time without progress before giving up on what others hold")
	unbind(f, "yes")
	return cmd
}

func (c *dlqAct) run(cmd *cobra.Command) error {
	filter, err := c.filter(time.Now())
	switch {
	case err != nil:
		return err
	case c.wait < 0:
		return usagef("--wait is negative")
	case !c.yes && !c.dry && !c.isPerson():
		return usagef("%s: nobody can be asked here, so say --yes, or --dry-run to count only", cmd.Name())
	}
	m, err := c.open(cmd)
	if err != nil {
		return err
	}
	defer m.close()
	return c.act(cmd.Context(), m, filter)
}

// act counts, asks, and acts. While it asks, an interrupt ends the process.
func (c *dlqAct) act(ctx context.Context, m *morgue, filter deadletter.Filter) error {
	var all deadletter.Census
	err := interruptibly(ctx, func() {}, func(s stages) error { return all.Take(s.Soft, m.letters, filter) })
	if err != nil {
		return m.dead(err)
	}
	fmt.Fprintf(c.err, "signmill: %s\n", &all)
	w := &deadletter.Sweep{From: m.letters, Look: m.letters, Filter: filter, Total: all.Total, Last: all.Last, Wait: c.wait}
	if c.dry || all.Total == 0 {
		return c.summary(m, &all, w)
	}
	if err := c.agree(m, &all); err != nil {
		return err
	}
	say := func() { fmt.Fprintln(c.err, "\nsignmill: stopping; interrupt again to leave at once") }
	return interruptibly(ctx, say, func(s stages) error { return c.sweep(s, m, &all, w) })
}

func (c *dlqAct) sweep(s stages, m *morgue, all *deadletter.Census, w *deadletter.Sweep) (err error) {
	if w.Act, err = c.ready(s.Soft, m); err != nil {
		return err
	}
	shown := display.NewProgress(c.err, all.Total, c.words)
	w.Told = shown.Add
	err = w.Run(s.Soft, s.Hard)
	shown.Close()
	if said := c.summary(m, all, w); said != nil {
		return said
	}
	return c.outcome(s, m, w, err)
}

// agree lets a person type the queue's name.
func (c *dlqAct) agree(m *morgue, all *deadletter.Census) error {
	if c.yes {
		return nil
	}
	question := fmt.Sprintf("%s %d dead letters of queue %s: %s.\nType the name of the queue to go on: ", c.words.Doing, all.Total, display.OneLine(m.queue), c.warning)
	return c.typed(question, m.queue, "nothing was done")
}

// summary is what --json prints.
func (c *dlqAct) summary(m *morgue, all *deadletter.Census, w *deadletter.Sweep) error {
	if !c.json {
		return nil
	}
	return jsonLine(c.out, struct {
		Queue   string         `json:"queue"`
		Matched int            `json:"matched"`
		Reasons map[string]int `json:"reasons"`
		DryRun  bool           `json:"dryRun,omitempty"`
		Done    int            `json:"done"`
		Failed  int            `json:"failed"`
	}{m.queue, all.Total, all.Reasons, c.dry, w.Done, len(w.Failed)})
}

// maxTold bounds how many failures are told one by one.
const maxTold = 10

// outcome says what is left, and why.
func (c *dlqAct) outcome(s stages, m *morgue, w *deadletter.Sweep, err error) error {
	for i, number := range slices.Sorted(maps.Keys(w.Failed)) {
		if i == maxTold {
			fmt.Fprintf(c.err, "signmill: and %d more\n", len(w.Failed)-i)
			break
		}
		fmt.Fprintf(c.err, "signmill: %d: %s\n", number, display.OneLine(w.Failed[number].Error()))
	}
	switch {
	case s.Soft.Err() != nil:
		return fmt.Errorf("interrupted after %d of %d; the same command goes on with the rest", w.Done, w.Total)
	case err != nil:
		return m.dead(fmt.Errorf("after %d of %d: %w; the same command goes on with the rest", w.Done, w.Total, err))
	case len(w.Failed) > 0:
		return &exit{exitFailure, errors.New("some could not be " + c.words.Done + " and stay where they are")}
	}
	return nil
}
