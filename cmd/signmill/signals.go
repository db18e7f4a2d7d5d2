package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// errHurry is why work ends at the second interrupt.
var errHurry = errors.New("interrupted twice")

// stages are two contexts. The first interrupt ends Soft: start nothing new.
// The second ends Hard: stop what is under way.
type stages struct{ Soft, Hard context.Context } //nolint:containedctx // a pair to hand out, not to keep

// sayWaiting tells people what the first interrupt of a submitter does.
func sayWaiting(w io.Writer) func() {
	return func() {
		fmt.Fprintln(w, "\nsignmill: submitting no more, waiting for what is under way; interrupt again to leave") //nolint:errcheck // for people
	}
}

// onInterrupt listens for Ctrl-C and SIGTERM until stop is called. Say is told
// of the first one. Until then a reader of our output that goes away does not
// kill the process: the write fails, and work ends in good order.
func onInterrupt(ctx context.Context, say func()) (s stages, stop func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	pipes := make(chan os.Signal, 1) // never read; that it is there is enough
	signal.Notify(pipes, syscall.SIGPIPE)
	hard, hurry := context.WithCancelCause(ctx)
	soft, end := context.WithCancel(hard)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for range signals {
			if soft.Err() != nil {
				hurry(errHurry)
				continue
			}
			say()
			end()
		}
	}()
	return stages{soft, hard}, func() {
		signal.Stop(signals)
		signal.Stop(pipes)
		close(signals)
		<-gone
		end()
		hurry(nil)
	}
}
