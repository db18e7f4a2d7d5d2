package status

import (
	"context"
	"time"

	"github.com/signmill/signmill/signer/quota"
)

// A sample is kept every so often, and for so long.
const (
	sampleEvery = 5 * time.Second
	samplesKept = 10 * time.Minute
	rateOver    = time.Minute // rates are told of that time
)

// sample is what was done up to a time.
type sample struct {
	at    time.Time
	items []int64                // of each queue
	gates map[string]quota.State // by vault
}

// take makes a sample of now.
func (s *Server) take() sample {
	now := sample{at: time.Now(), gates: map[string]quota.State{}}
	for _, w := range s.Workers {
		for _, q := range w.State().Queues {
			now.items = append(now.items, q.Items)
		}
	}
	s.Gates(func(vault string, g quota.State) { now.gates[vault] = g })
	return now
}

// record keeps samples until ctx ends.
func (s *Server) record(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		s.keep(s.take())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) keep(now sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.samples = append(s.samples, now)
	for len(s.samples) > 2 && now.at.Sub(s.samples[1].at) >= samplesKept {
		s.samples = s.samples[1:]
	}
}

// span is what happened between two samples.
type span struct{ from, to sample }

// lately returns what happened over the last minute, or so far.
func (s *Server) lately(now sample) span {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := span{now, now}
	for i := len(s.samples) - 1; i >= 0; i-- {
		since.from = s.samples[i]
		if now.at.Sub(since.from.at) >= rateOver {
			break
		}
	}
	return since
}

// seconds is at least one, so that a rate is never told from an instant.
func (b span) seconds() float64 { return max(1, b.to.at.Sub(b.from.at).Seconds()) }

// rate returns the items of a queue in a second.
func (b span) rate(queue int) float64 {
	return float64(b.to.items[queue]-b.from.items[queue]) / b.seconds()
}

// gate returns what the gate of a vault counted meanwhile. A gate that is new
// began with nothing.
func (b span) gate(vault string) (used, sent, throttled, failed int64) {
	from, to := b.from.gates[vault], b.to.gates[vault]
	if from.Sent > to.Sent {
		from = quota.State{} // another gate has taken its place
	}
	return to.Used - from.Used, to.Sent - from.Sent, to.Throttled - from.Throttled, to.Failed - from.Failed
}

// curve returns the items in a second of all queues between the samples, the
// oldest first.
func (s *Server) curve() (rates []float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 1; i < len(s.samples); i++ {
		between, sum := span{s.samples[i-1], s.samples[i]}, 0.0
		for q := range between.to.items {
			sum += between.rate(q)
		}
		rates = append(rates, sum)
	}
	return rates
}
