package display

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progressEvery is the time between two lines where there is no terminal.
const progressEvery = 5 * time.Second

// Progress shows how far some work is: a bar on a terminal with place for one, else a line now
// and then. It may be used from several goroutines.
type Progress struct {
	w     io.Writer
	words Words
	total int
	begun time.Time
	bar   *progressbar.ProgressBar // nil without a terminal; has its own lock

	mu     sync.Mutex // guards done and failed
	done   int
	failed int

	stop    chan struct{} // closed by Close
	printer sync.WaitGroup
}

// Words say what is done to what.
type Words struct{ Doing, Things, Done string }

// NewProgress shows the progress of total things on w until Close.
func NewProgress(w io.Writer, total int, words Words) *Progress {
	p := &Progress{w: w, words: words, total: total, begun: time.Now(), stop: make(chan struct{})}
	if IsTerminal(w) && isRoomy(w) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(words.Doing),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString(words.Things),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionFullWidth(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetRenderBlankState(true),
		)
		return p
	}
	p.printer.Go(p.print)
	return p
}

// Add counts things that have an outcome.
func (p *Progress) Add(done, failed int) {
	p.mu.Lock()
	p.done += done
	p.failed += failed
	p.mu.Unlock()
	if p.bar != nil {
		p.bar.Add(done + failed) //nolint:errcheck // a picture for people
	}
}

// Close shows the end and waits until nothing more is written.
func (p *Progress) Close() {
	close(p.stop)
	p.printer.Wait()
	if p.bar != nil {
		fmt.Fprintln(p.w) //nolint:errcheck // a picture for people
		return
	}
	fmt.Fprintln(p.w, p.line()) //nolint:errcheck // a picture for people
}

// print writes a line now and then until stop is closed.
func (p *Progress) print() {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			fmt.Fprintln(p.w, p.line()) //nolint:errcheck // a picture for people
		case <-p.stop:
			return
		}
	}
}

// line says it in words. The time that is left follows from the average rate
// so far, and is not told before there is one.
func (p *Progress) line() string {
	p.mu.Lock()
	done, failed := p.done, p.failed
	p.mu.Unlock()
	elapsed, over := time.Since(p.begun), done+failed
	text := fmt.Sprintf("%d of %d %s %s", done, p.total, p.words.Things, p.words.Done)
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	if over > 0 {
		text += fmt.Sprintf(", %.0f/s", float64(over)/elapsed.Seconds())
	}
	if over > 0 && over < p.total {
		text += fmt.Sprintf(", about %s left", remaining(over, p.total, elapsed))
	}
	return text
}

// remaining extrapolates the time for the rest.
func remaining(over, total int, elapsed time.Duration) time.Duration {
	left := float64(elapsed) / float64(over) * float64(total-over)
	return time.Duration(left).Round(time.Second)
}
