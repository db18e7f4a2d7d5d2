package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/spf13/pflag"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/worker/audit"
)

// auditFlags say where a worker takes down what it does.
type auditFlags struct {
	path       string
	megabytes  int64
	noSync     bool
	bestEffort bool
	out        io.Writer // of -
}

func (a *auditFlags) add(f *pflag.FlagSet) {
	f.StringVar(&a.path, "audit", "", "a `FILE` for the audit log, or - for standard output; without it there is none")
	f.Int64Var(&a.megabytes, "audit-max-size", 100, "begin a new audit file after so many `MB`; 0 never does")
	f.BoolVar(&a.noSync, "audit-no-sync", false, "do not wait until the disk has what is written: a crash of the machine may lose lines")
	f.BoolVar(&a.bestEffort, "audit-best-effort", false, "sign also when the audit log cannot be written")
}

// open opens the log; nil where none is wanted.
func (a *auditFlags) open(log *slog.Logger) (*audit.Log, error) {
	if a.megabytes < 0 {
		return nil, usagef("--audit-max-size %d: use 0 for no limit, or more", a.megabytes)
	}
	c := audit.Config{Path: a.path, MaxBytes: a.megabytes * 1e6, NoSync: a.noSync, BestEffort: a.bestEffort, Log: log}
	switch a.path {
	case "":
		return nil, nil
	case "-":
		c.Path, c.Out = "", a.out
	}
	l, err := audit.Open(c)
	return l, display.Error(err)
}

// run lets the worker work. When the audit log cannot be written any more it
// drains, because nothing could be signed.
func (p *post) run(ctx context.Context) error {
	if p.audit == nil {
		return p.work(ctx)
	}
	ctx, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		defer stop()
		select {
		case <-p.audit.Failed():
		case <-ctx.Done():
		}
	})
	err := p.work(ctx)
	stop()
	watch.Wait()
	if failure := p.audit.Err(); failure != nil {
		err = errors.Join(err, fmt.Errorf("%w; nothing is signed without it: make room, or choose another place with --audit", failure))
	}
	return err
}
