package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"syscall"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/exchange"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
)

// run is a whole signing campaign: prepare, connect, sign, sum up.
func (o signOptions) run(ctx context.Context, s streams, log *slog.Logger) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := o.to.checkOwn(); err != nil {
		return err
	}
	r := &recorder{layout: o.to}
	if o.json {
		r.lines = s.out
	}
	plan, run, err := o.prepare(ctx, r)
	if err != nil {
		return err
	}
	defer plan.Close()
	st, stop := onInterrupt(ctx, sayWaiting(s.err))
	defer stop() // after the manifest is complete
	err = o.sign(st, s.err, log, campaignConfig{Plan: plan, Config: exchange.Config{ID: run}, Record: r})
	c := r.total()
	c.Kept, c.Left, c.Interrupted = plan.Kept, plan.Files-c.Signed-c.Failed, st.Soft.Err() != nil
	return o.conclude(s.out, r, c, err)
}

// prepare begins the manifest and checks every file. With --resume it first
// takes over what holds from the earlier run.
func (o signOptions) prepare(ctx context.Context, r *recorder) (p *plan, run string, err error) {
	head := manifest.Head{Run: randomID(16), Key: o.to.Key, Algorithm: o.algorithm.Algorithm}
	before := &earlier{layout: o.to}
	if o.to.Resume {
		if before, err = openEarlier(o.to, &head); err != nil {
			return nil, "", err
		}
	}
	if r.manifest, err = manifest.Create(o.to.manifest(), head, o.to.Force); err != nil {
		before.close()
		return nil, "", err
	}
	marks := pathSet{}
	if err = before.carry(ctx, r.manifest, marks); err != nil {
		r.manifest.Discard() // what it was to be taken from is still there
		return nil, "", err
	}
	if p, err = makePlan(o.files, o.to, marks); err != nil {
		return nil, "", errors.Join(err, o.undo(r.manifest))
	}
	return p, head.Run, nil
}

// undo ends a manifest to which nothing was added: one that is resumed still
// holds what it was given.
func (o signOptions) undo(m *manifest.Writer) error {
	if o.to.Resume {
		return m.Finish(manifest.Counts{Interrupted: true})
	}
	m.Discard()
	return nil
}

// sign connects and runs the campaign.
func (o signOptions) sign(s stages, w io.Writer, log *slog.Logger, c campaignConfig) error {
	if c.Plan.Files == 0 {
		return nil
	}
	l, err := o.connect(s, c.ID, log)
	if err != nil {
		return err
	}
	defer l.close()
	log.Info("signing begins", "files", c.Plan.Files, "kept", c.Plan.Kept, "run", c.ID)
	c.Record.progress = display.NewProgress(w, c.Plan.Files, display.Words{Doing: "signing", Things: "files", Done: "signed"})
	defer c.Record.progress.Close()

	c.Config = o.exchange(l, c.ID, log)
	c.Attempt, c.Key, c.Algorithm, c.Keys = randomID(4), o.to.Key, o.algorithm.Algorithm, l.keys
	c.Hashers, c.Items = 2*runtime.GOMAXPROCS(0), o.items
	return newCampaign(c).run(s.Soft, s.Hard)
}

// conclude completes the manifest and says what came of the campaign. Only if
// that has not even begun is the manifest taken back: once a job is submitted,
// its reply may come late, and --resume must know it.
func (o signOptions) conclude(out io.Writer, r *recorder, c manifest.Counts, failure error) error {
	if errors.Is(failure, errHurry) {
		failure = nil
	}
	if begun := r.progress != nil; !begun && failure != nil {
		if c.Interrupted {
			failure = &exit{exitInterrupted, errors.New("interrupted before anything was submitted")}
		}
		return errors.Join(failure, o.undo(r.manifest))
	}
	if err := o.complete(r.manifest, c); err != nil {
		if o.json {
			o.summarize(out, c) //nolint:errcheck // there is a greater fault to tell of
		}
		return joinOnce(failure, err)
	}
	if err := joinOnce(failure, o.summarize(out, c)); err != nil {
		return err
	}
	switch {
	case c.Interrupted:
		return &exit{exitInterrupted, fmt.Errorf("interrupted with %s left: --resume signs the rest", countFiles(c.Left))}
	case c.Failed > 0:
		return fmt.Errorf("%s without a signature: %s says why, and --resume tries again", countFiles(c.Failed), display.OneLine(o.to.manifest()))
	}
	return nil
}

// countFiles is a number of files in words.
func countFiles(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// complete ends the manifest. Where that is not possible its entries stay in
// the partial one.
func (o signOptions) complete(m *manifest.Writer, c manifest.Counts) error {
	if err := m.Finish(c); err != nil {
		return fmt.Errorf("%w: mend this, then --resume signs the rest", err)
	}
	return nil
}

// joinOnce joins two errors, unless the second has the system's cause of the
// first: a full disk is one fault, however often it is met.
func joinOnce(first, second error) error {
	var cause syscall.Errno
	if errors.As(second, &cause) && errors.Is(first, cause) {
		return second
	}
	return errors.Join(first, second)
}

// summarize prints the counts.
func (o signOptions) summarize(out io.Writer, c manifest.Counts) error {
	if o.json {
		return json.NewEncoder(out).Encode(map[string]manifest.Counts{"summary": c})
	}
	text := fmt.Sprintf("%d signed with key %s and %s", c.Signed, o.to.Key, o.algorithm.Algorithm)
	if c.Kept > 0 {
		text += fmt.Sprintf(", %d signed before", c.Kept)
	}
	_, err := fmt.Fprintf(out, "%s; see %s\n", text, display.OneLine(o.to.manifest()))
	return err
}

// randomID returns n random bytes in hexadecimal digits.
func randomID(n int) string {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // it never fails (crypto/rand, Go 1.24)
	return hex.EncodeToString(b)
}
