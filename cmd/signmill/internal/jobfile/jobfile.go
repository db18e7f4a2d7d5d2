package jobfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sort"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/schema"
)

// Document is a job and the text that says it, as it was written.
type Document struct {
	schema.Job
	Text []byte
}

// File is a stream of job documents.
type File struct {
	name string // for people
	io.ReadCloser
}

// Open opens a file of jobs; "" and - are standard input. What is in a
// regular file is checked to its end, so that nothing is sent of one that has a
// fault. What else there is may be a pipe, which is checked as it comes.
func Open(name string, stdin io.Reader) (*File, error) {
	if name == "" || name == "-" {
		return &File{"standard input", io.NopCloser(stdin)}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	j := &File{display.OneLine(name), f}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return j, err
	}
	for _, fault := range j.jobs() {
		if fault != nil {
			return nil, errors.Join(fault, f.Close())
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return j, err
}

// jobs yields one job after the other, until the end or the first fault.
func (j *File) jobs() iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		text := &lines{Reader: j}
		d, seen := json.NewDecoder(text), map[string]int{}
		for number := 1; ; number++ {
			job, err := nextJob(d)
			if errors.Is(err, io.EOF) {
				return
			}
			if first, twice := seen[job.ID]; err == nil && twice {
				err = fmt.Errorf("it has the id of job %d: a second result of an id is never seen", first)
			}
			if err != nil {
				err = fmt.Errorf("%s: job %d, line %d: %w", j.name, number, text.at(text.fault(err, d.InputOffset()-int64(len(job.Text)))), err)
			}
			seen[job.ID] = number
			if !yield(job, err) || err != nil {
				return
			}
		}
	}
}

// nextJob reads the next object and checks it. The error is io.EOF at the end.
func nextJob(d *json.Decoder) (job Document, err error) {
	var text json.RawMessage
	if err := d.Decode(&text); err != nil {
		return job, err
	}
	job.Text = text
	job.Job, err = schema.Decode(text, schema.Limits{})
	return job, err
}

// Trickle hands jobs on through a channel that is closed at the end, so that
// one who waits for the next job can leave. Once ctx has ended a reader that
// waits for its input is left behind: nothing can wake it.
func (j *File) Trickle(ctx context.Context) <-chan Next {
	out := make(chan Next)
	go func() {
		defer close(out)
		for job, fault := range j.jobs() {
			select {
			case out <- Next{job, fault}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// Next is a job, or the fault that ends them.
type Next struct {
	Document
	Fault error // nil: there is a job
}

// lines remembers where lines begin in what it reads.
type lines struct {
	io.Reader
	read int64
	ends []int64 // how much was read when a line ended, in order
}

// Read implements io.Reader.
func (l *lines) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.read+int64(i)+1)
		}
	}
	l.read += int64(n)
	return n, err
}

// Fault returns the offset of a fault of syntax, or else where the job begins.
func (l *lines) fault(err error, begins int64) int64 {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return syntax.Offset - 1
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return l.read - 1
	}
	return begins
}

// at returns the line, from 1 on, of the byte at offset.
func (l *lines) at(offset int64) int {
	return 1 + sort.Search(len(l.ends), func(i int) bool { return l.ends[i] > offset })
}
