package campaign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/exchange"
	"github.com/signmill/signmill/cmd/signmill/internal/files"
	"github.com/signmill/signmill/cmd/signmill/internal/manifest"
	"github.com/signmill/signmill/schema"
)

// Campaign is a campaign whose files are checked and whose manifest is begun.
// It belongs to one goroutine, and is to be closed.
type Campaign struct {
	ID    string // of the run; that of the earlier one when it is resumed
	Files int    // how many are to be signed
	Kept  int    // how many are left out because they are signed already

	spec   Spec
	plan   *plan
	record *recorder
	begun  bool // jobs may have been submitted
}

// Spec says what a campaign signs, and where it writes. All fields but Lines are
// required.
type Spec struct {
	ID        string // begins the ids of all jobs
	Sources   files.Sources
	Layout    Layout
	Algorithm schema.Algorithm
	Lines     io.Writer // takes each entry as a line of JSON; nil: none
}

// Links are what a campaign signs through. All fields are required, but for
// Advice.
type Links struct {
	exchange.Config
	Attempt  string // tells the jobs of a resumed run from those before
	Keys     *Keyring
	Items    int // files in one job
	Progress *display.Progress
}

// Prepare begins the manifest and checks every file, before the first is signed.
// With Resume it first takes over what holds from the earlier run. On an error
// nothing is left behind that was not there before.
func Prepare(ctx context.Context, s Spec) (*Campaign, error) {
	if err := s.Layout.checkOwn(); err != nil {
		return nil, err
	}
	c := &Campaign{spec: s, record: &recorder{layout: s.Layout, lines: s.Lines}}
	head := manifest.Head{Run: s.ID, Key: s.Layout.Key, Algorithm: s.Algorithm}
	before := &earlier{layout: s.Layout}
	var err error
	if s.Layout.Resume {
		if before, err = openEarlier(s.Layout, &head); err != nil {
			return nil, err
		}
	}
	if c.record.manifest, err = manifest.Create(s.Layout.Manifest(), head, s.Layout.Force); err != nil {
		before.close()
		return nil, err
	}
	marks := pathSet{}
	if err = before.carry(ctx, c.record.manifest, marks); err != nil {
		c.record.manifest.Discard() // what it was to be taken from is still there
		return nil, err
	}
	if c.plan, err = makePlan(s.Sources, s.Layout, marks); err != nil {
		return nil, errors.Join(err, c.Undo())
	}
	c.ID, c.Files, c.Kept = head.Run, c.plan.files, c.plan.kept
	return c, nil
}

// Close forgets the list of files.
func (c *Campaign) Close() { c.plan.close() }

// Sign submits the files and records what comes back. It returns when every
// submitted job is answered; when soft ends it submits no more, and when hard ends
// it waits no more.
func (c *Campaign) Sign(soft, hard context.Context, l Links) error {
	c.begun, c.record.progress = true, l.Progress
	return newSigning(config{
		Links: l, Plan: c.plan, Key: c.spec.Layout.Key, Algorithm: c.spec.Algorithm,
		Record: c.record, Hashers: 2 * runtime.GOMAXPROCS(0),
	}).run(soft, hard)
}

// Begun reports whether a job may have been submitted. Then its reply may come
// late, and a resumed run must know it.
func (c *Campaign) Begun() bool { return c.begun }

// Counts sums up what was recorded.
func (c *Campaign) Counts() manifest.Counts {
	sum := c.record.total()
	sum.Kept, sum.Left = c.Kept, c.Files-sum.Signed-sum.Failed
	return sum
}

// Undo takes back a campaign that has not begun. A manifest that is resumed still
// holds what it was given.
func (c *Campaign) Undo() error {
	if c.spec.Layout.Resume {
		return c.record.manifest.Finish(manifest.Counts{Interrupted: true})
	}
	c.record.manifest.Discard()
	return nil
}

// Finish completes the manifest. Where that is not possible its entries stay in
// the partial one.
func (c *Campaign) Finish(sum manifest.Counts) error {
	if err := c.record.manifest.Finish(sum); err != nil {
		return fmt.Errorf("%w: mend this, then --resume signs the rest", err)
	}
	return nil
}
