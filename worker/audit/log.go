package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/signmill/signmill/worker"
)

// Config says where a Log writes. Path or Out is required.
type Config struct {
	Path       string       // a file, made for its owner only where there is none
	Out        io.Writer    // instead of a file, with a new chain each time; it is not closed
	MaxBytes   int64        // of a file before the next one is begun, about; 0: no limit
	NoSync     bool         // leave it to the system when the disk has it: a kill loses nothing, a crash of the machine may
	BestEffort bool         // entries that cannot be written are lost and counted, and Record returns nil
	Log        *slog.Logger // told of trouble, and of the head at the end; nil: slog.Default()
}

// Log writes entries. It implements worker.Audit.
type Log struct {
	config   Config
	requests chan request  // not closed
	quit     chan struct{} // closed by Close
	once     sync.Once
	owner    sync.WaitGroup
	failed   chan struct{} // closed by the owner
	failure  error         // why; written before failed is closed

	// Owned by the goroutine that writes.
	sink  sink
	chain chain
	buf   []byte
	lost  int64
}

var _ worker.Audit = (*Log)(nil)

// request is an entry, and who waits for it.
type request struct {
	entry worker.AuditEntry
	done  chan error // takes one
}

// Open opens or makes the file, mends its end, and writes the first line. The
// caller must call Close. A file that another process writes, or whose last line
// is not whole, is refused.
func Open(c Config) (*Log, error) {
	if (c.Path == "") == (c.Out == nil) {
		return nil, errors.New("audit log: either a file or a writer is needed")
	}
	if c.MaxBytes < 0 {
		return nil, errors.New("audit log: the size of a file is negative")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	l := &Log{config: c, requests: make(chan request), quit: make(chan struct{}), failed: make(chan struct{})}
	begin, err := l.begin()
	if err == nil {
		err = l.write([]line{begin})
	}
	if err != nil {
		if l.sink != nil {
			l.sink.close()
		}
		return nil, fmt.Errorf("audit log: %w", err)
	}
	l.owner.Go(l.run)
	return l, nil
}

// errClosed means that Close was called.
var errClosed = errors.New("audit log: closed")

// Record implements worker.Audit.
func (l *Log) Record(ctx context.Context, e worker.AuditEntry) error {
	r := request{e, make(chan error, 1)}
	select {
	case l.requests <- r:
	case <-l.quit:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Failed is closed when nothing can be recorded any more; Err says why.
func (l *Log) Failed() <-chan struct{} { return l.failed }

// Err returns why nothing can be recorded any more; nil while something can.
func (l *Log) Err() error {
	select {
	case <-l.failed:
		return l.failure
	default:
		return nil
	}
}

// Close writes what was taken, and closes the file. A second Close does nothing.
func (l *Log) Close() {
	l.once.Do(func() { close(l.quit) })
	l.owner.Wait()
}

// most bounds what is written at once.
const most = 1024

// run writes until Close.
func (l *Log) run() {
	defer func() { l.sink.close() }() // the last one
	var batch []request
	for {
		select {
		case <-l.quit:
			l.config.Log.Info("audit log closed", "chain", l.chain.name, "seq", l.chain.seq, "head", l.chain.head)
			return
		case first := <-l.requests:
			batch = l.gather(append(batch[:0], first))
		}
		err := l.commit(batch)
		for _, r := range batch {
			r.done <- err
		}
	}
}

// gather takes all that wait.
func (l *Log) gather(batch []request) []request {
	for len(batch) < most {
		select {
		case r := <-l.requests:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch, or counts it as lost.
func (l *Log) commit(batch []request) error {
	if err := l.Err(); err != nil {
		return err
	}
	lines := make([]line, 0, len(batch)+1)
	if l.lost > 0 {
		lines = append(lines, line{worker.AuditEntry{Event: eventLost}, l.lost})
	}
	for _, r := range batch {
		lines = append(lines, line{AuditEntry: r.entry})
	}
	err := l.write(lines)
	switch {
	case err == nil:
		l.lost = 0
		return nil
	case l.config.BestEffort:
		if l.lost == 0 {
			l.config.Log.Error("audit entries are lost", "error", err)
		}
		l.lost += int64(len(batch))
		return nil
	}
	l.failure = fmt.Errorf("audit log: %w", err)
	l.config.Log.Error("the audit log cannot be written", "error", err)
	close(l.failed)
	return l.failure
}

// write makes lines safe, all or none.
func (l *Log) write(lines []line) error {
	if err := l.turnOver(); err != nil {
		return err
	}
	before := l.chain
	l.buf = l.buf[:0]
	for _, line := range lines {
		l.buf = l.chain.add(l.buf, line, time.Now())
	}
	if err := l.sink.put(l.buf); err != nil {
		l.chain = before
		return err
	}
	return nil
}
