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
	"syscall"

	"github.com/signmill/signmill/cmd/signmill/internal/campaign"
	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
)

// run is a whole signing campaign: prepare, connect, sign, sum up.
func (o signOptions) run(ctx context.Context, s streams, log *slog.Logger) error {
	if err := o.check(); err != nil {
		return err
	}
	c, err := campaign.Prepare(ctx, o.spec(s.out))
	if other, ok := errors.AsType[*campaign.OtherKey](err); ok {
		return usageError(other)
	}
	if err != nil {
		return err
	}
	defer c.Close()
	st, stop := onInterrupt(ctx, sayWaiting(s.err))
	defer stop() // after the manifest is complete
	err = o.sign(st, s.err, log, c)
	sum := c.Counts()
	sum.Interrupted = st.Soft.Err() != nil
	return o.conclude(s.out, c, sum, err)
}

func (o signOptions) spec(out io.Writer) campaign.Spec {
	s := campaign.Spec{ID: randomID(16), Sources: o.files, Layout: o.to, Algorithm: o.algorithm.Algorithm}
	if o.json {
		s.Lines = out
	}
	return s
}

// sign connects and runs the campaign.
func (o signOptions) sign(s stages, w io.Writer, log *slog.Logger, c *campaign.Campaign) error {
	if c.Files == 0 {
		return nil
	}
	l, err := o.connect(s, c.ID, log)
	if err != nil {
		return err
	}
	defer l.close()
	log.Info("signing begins", "files", c.Files, "kept", c.Kept, "run", c.ID)
	shown := display.NewProgress(w, c.Files, display.Words{Doing: "signing", Things: "files", Done: "signed"})
	defer shown.Close()
	return c.Sign(s.Soft, s.Hard, campaign.Links{
		Config: o.exchange(l, c.ID, log), Attempt: randomID(4), Keys: l.keys, Items: o.items, Progress: shown,
	})
}

// conclude completes the manifest and says what came of the campaign. Only if
// that has not even begun is the manifest taken back: once a job is submitted,
// its reply may come late, and --resume must know it.
func (o signOptions) conclude(out io.Writer, c *campaign.Campaign, sum manifest.Counts, failure error) error {
	if errors.Is(failure, errHurry) {
		failure = nil
	}
	if !c.Begun() && failure != nil {
		if sum.Interrupted {
			failure = &exit{exitInterrupted, errors.New("interrupted before anything was submitted")}
		}
		return errors.Join(failure, c.Undo())
	}
	if err := c.Finish(sum); err != nil {
		if o.json {
			o.summarize(out, sum) //nolint:errcheck // there is a greater fault to tell of
		}
		return joinOnce(failure, err)
	}
	if err := joinOnce(failure, o.summarize(out, sum)); err != nil {
		return err
	}
	switch {
	case sum.Interrupted:
		return &exit{exitInterrupted, fmt.Errorf("interrupted with %s left: --resume signs the rest", countFiles(sum.Left))}
	case sum.Failed > 0:
		return fmt.Errorf("%s without a signature: %s says why, and --resume tries again", countFiles(sum.Failed), display.OneLine(o.to.Manifest()))
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
	_, err := fmt.Fprintf(out, "%s; see %s\n", text, display.OneLine(o.to.Manifest()))
	return err
}

// randomID returns n random bytes in hexadecimal digits.
func randomID(n int) string {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // it never fails (crypto/rand, Go 1.24)
	return hex.EncodeToString(b)
}
