package main

import (
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/exchange"
)

// queueOptions are the flags of a command that submits jobs.
type queueOptions struct {
	azure   azureFlags
	name    string // of the command
	local   bool
	despite []string

	jobs     string
	replies  string
	session  bool
	noWait   bool // no replies are taken
	window   int
	patience time.Duration
}

func (o *queueOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	o.name = cmd.Name()
	f.BoolVar(&o.local, "local", false, "bring broker, vault and worker along in this process; needs no Azure")
	f.StringSliceVar(&o.despite, "despite", nil, "an Azure setting in the environment that --local may ignore; may be repeated")
	o.azure.addBus(cmd)
	f.StringVar(&o.jobs, "jobs", "jobs", "the job queue")
	f.StringVar(&o.replies, "replies", "replies", "the reply queue")
	f.BoolVar(&o.session, "reply-session", false, "take the replies in a session of our own, so that submitters can share the reply queue")
	f.IntVar(&o.window, "window", 32, "jobs under way at once")
	f.DurationVar(&o.patience, "reply-timeout", 10*time.Minute, "give up when no reply comes for so long")
}

// contradictions are pairs of flags for exclusive.
func (o *queueOptions) contradictions() [][2]string {
	return [][2]string{{"local", "namespace"}, {"local", "connection-string-file"}, {"local", "auth"}}
}

// exclusive refuses flags that contradict each other. Variables do not count:
// what they say of Azure is for guardLocal.
func exclusive(cmd *cobra.Command, pairs ...[2]string) error {
	for _, pair := range pairs {
		if cmd.Flags().Changed(pair[0]) && cmd.Flags().Changed(pair[1]) {
			return usagef("--%s and --%s exclude each other", pair[0], pair[1])
		}
	}
	return nil
}

// maxWindow bounds what is held in memory: what is kept of all jobs under way.
const maxWindow = 1000

// check refuses what cannot work, before anything is touched.
func (o *queueOptions) check() error {
	switch {
	case o.window < 1 || o.window > maxWindow:
		return usagef("--window %d: use 1 to %d", o.window, maxWindow)
	case o.patience <= 0:
		return usagef("--reply-timeout must be more than nothing")
	case o.local:
		return guardLocal(environment(), o.despite)
	}
	return nil
}

// exchange says how jobs are submitted over l.
func (o *queueOptions) exchange(l *links, run string, log *slog.Logger) exchange.Config {
	return exchange.Config{
		ID: run, Jobs: l.jobs, Replies: l.replies, ReplyTo: o.replies, Session: o.session,
		Window: o.window, Patience: o.patience, Log: log,
	}
}
