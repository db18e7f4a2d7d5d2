package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progressEvery is the time between two lines where there is no terminal.
const progressEvery = 5 * time.Second

// progress shows how far a campaign is: a bar on a terminal with place for one, else a line now
// and then. It may be used from several goroutines.
type progress struct {
	w     io.Writer
	words progressWords
	total int
	begun time.Time
	bar   *progressbar.ProgressBar // nil without a terminal; has its own lock

	mu     sync.Mutex // guards signed and failed
	signed int
	failed int

	stop    chan struct{} // closed by close
	printer sync.WaitGroup
}

// progressWords say what is done to what.
type progressWords struct{ doing, things, done string }

// newProgress shows the progress of total files on w until close.
func newProgress(w io.Writer, total int) *progress {
	return newProgressOf(w, total, progressWords{"signing", "files", "signed"})
}

// newProgressOf is newProgress for something else.
func newProgressOf(w io.Writer, total int, words progressWords) *progress {
	p := &progress{w: w, words: words, total: total, begun: time.Now(), stop: make(chan struct{})}
	if isTerminal(w) && isRoomy(w) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(words.doing),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString(words.things),
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

// add counts files that have an outcome.
func (p *progress) add(signed, failed int) {
	p.mu.Lock()
	p.signed += signed
	p.failed += failed
	p.mu.Unlock()
	if p.bar != nil {
		p.bar.Add(signed + failed) //nolint:errcheck // a picture for people
	}
}

// close shows the end and waits until nothing more is written.
func (p *progress) close() {
	close(p.stop)
	p.printer.Wait()
	if p.bar != nil {
		fmt.Fprintln(p.w) //nolint:errcheck // a picture for people
		return
	}
	fmt.Fprintln(p.w, p.line()) //nolint:errcheck // a picture for people
}

// print writes a line now and then until stop is closed.
func (p *progress) print() {
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
func (p *progress) line() string {
	p.mu.Lock()
	signed, failed := p.signed, p.failed
	p.mu.Unlock()
	elapsed, done := time.Since(p.begun), signed+failed
	text := fmt.Sprintf("%d of %d %s %s", signed, p.total, p.words.things, p.words.done)
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	if done > 0 {
		text += fmt.Sprintf(", %.0f/s", float64(done)/elapsed.Seconds())
	}
	if done > 0 && done < p.total {
		text += fmt.Sprintf(", about %s left", remaining(done, p.total, elapsed))
	}
	return text
}

// remaining extrapolates the time for the rest.
func remaining(done, total int, elapsed time.Duration) time.Duration {
	left := float64(elapsed) / float64(done) * float64(total-done)
	return time.Duration(left).Round(time.Second)
}
