package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/signmill/signmill/worker"
)

// sink is where lines go.
type sink interface {
	put(lines []byte) error // all or none
	size() int64
	close()
}

// stream is a writer of which nothing can be taken back.
type stream struct {
	io.Writer
	broken error
}

func (s *stream) put(lines []byte) error {
	if s.broken == nil {
		_, s.broken = s.Write(lines)
	}
	return s.broken
}

func (s *stream) size() int64 { return 0 }

func (s *stream) close() {}

// file is a regular file that ends with a whole line.
type file struct {
	f      *os.File
	length int64
	sync   bool
	broken error // half a line could not be taken back
}

func (f *file) put(lines []byte) error {
	if f.broken != nil {
		return f.broken
	}
	_, err := f.f.Write(lines)
	if err == nil && f.sync {
		err = f.f.Sync()
	}
	if err != nil {
		f.broken = f.f.Truncate(f.length)
		return err
	}
	f.length += int64(len(lines))
	return nil
}

func (f *file) size() int64 { return f.length }

func (f *file) close() { f.f.Close() } //nolint:errcheck // what was put is safe

// begin opens the sink and returns the line with which it is begun.
func (l *Log) begin() (first line, err error) {
	first.Event, l.chain = eventGenesis, newChain()
	if l.config.Out != nil {
		l.sink = &stream{Writer: l.config.Out}
		return first, nil
	}
	f, err := openFile(l.config.Path, os.O_CREATE)
	if err != nil {
		return first, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close() //nolint:errcheck // nothing was written
		return first, err
	}
	if !info.Mode().IsRegular() {
		l.sink = &stream{Writer: f}
		return first, nil
	}
	l.sink = &file{f: f, length: info.Size(), sync: !l.config.NoSync}
	return l.takeOver(f, info.Size())
}

// openFile opens a file that no other process writes.
func openFile(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|flags, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		f.Close() //nolint:errcheck // nothing was written
		return nil, fmt.Errorf("%s is written by another process: give each worker a file of its own (%w)", path, err)
	}
	return f, nil
}

// takeOver goes on with the chain of a file, or with that of the one before when
// a process has died between the two.
func (l *Log) takeOver(f *os.File, size int64) (first line, err error) {
	last, torn, err := tail(f, size)
	if err != nil {
		return first, err
	}
	first.Event, first.count = eventResumed, torn
	if torn > 0 {
		if err := f.Truncate(size - torn); err != nil {
			return first, err
		}
		l.sink.(*file).length = size - torn
	}
	if last == nil {
		if last, err = l.lastOfBefore(); err != nil || last == nil {
			first.Event = eventGenesis
			return first, err
		}
		first.Event = eventContinued
	}
	l.chain = chain{last.Chain, last.Seq, last.Hash}
	return first, nil
}

// tail reads the last whole line of a file, nil where there is none, and how
// many bytes of half a line follow it.
func tail(f io.ReaderAt, size int64) (last *record, torn int64, err error) {
	from := max(0, size-2*maxLine)
	end := make([]byte, size-from)
	if _, err := f.ReadAt(end, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	whole := bytes.LastIndexByte(end, '\n') + 1
	torn = int64(len(end) - whole)
	if whole == 0 {
		if from > 0 || torn > maxLine {
			return nil, 0, errNoLog
		}
		return nil, torn, nil
	}
	begin := bytes.LastIndexByte(end[:whole-1], '\n') + 1
	r, problem := parse(end[begin : whole-1])
	if problem != "" {
		return nil, 0, fmt.Errorf("%w: its last line %s", errNoLog, problem)
	}
	return &r, torn, nil
}

// errNoLog means that a file cannot be gone on with.
var errNoLog = errors.New("the file is no audit log that can be gone on with: look at it with signmill audit verify, then move it away")

// turnOver begins the next file when the present one is full.
func (l *Log) turnOver() error {
	if l.config.MaxBytes == 0 || l.sink.size() < l.config.MaxBytes {
		return nil
	}
	if err := os.Rename(l.config.Path, fmt.Sprintf("%s.%012d", l.config.Path, l.chain.seq)); err != nil {
		return err
	}
	f, err := openFile(l.config.Path, os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	l.sink.close()
	next := &file{f: f, sync: !l.config.NoSync}
	l.sink = next
	before := l.chain
	err = next.put(l.chain.add(nil, line{AuditEntry: worker.AuditEntry{Event: eventContinued}}, time.Now()))
	if err == nil && !l.config.NoSync {
		err = syncDir(filepath.Dir(l.config.Path))
	}
	if err != nil {
		l.chain = before
	}
	return err
}

// syncDir makes names safe.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // a directory
	return d.Sync()
}

// before is the name of a full file, behind that of the present one.
var before = regexp.MustCompile(`^\.\d{12,}$`)

// lastOfBefore reads the last line of the newest full file; nil: there is none.
func (l *Log) lastOfBefore() (*record, error) {
	names, err := filepath.Glob(glob(l.config.Path) + ".*")
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !before.MatchString(name[len(l.config.Path):]) })
	if len(names) == 0 {
		return nil, nil
	}
	slices.Sort(names)
	f, err := os.Open(names[len(names)-1])
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	last, _, err := tail(f, info.Size())
	return last, err
}

// glob makes a pattern that matches path alone.
func glob(path string) string {
	return regexp.MustCompile(`[*?\[\\]`).ReplaceAllString(path, `\$0`)
}
