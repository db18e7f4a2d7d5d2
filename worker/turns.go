package worker

import (
	"context"
	"sync"

	"github.com/signmill/signmill/signer/quota"
)

// places are those for items under way, so many for each vault: the items of a
// vault that is slow, or gives no answer, keep no place from those of others.
type places struct {
	each int

	mu sync.Mutex               // guards of
	of map[string]chan struct{} // of each vault that a job was for: one token for each item under way
}

func newPlaces(each int) *places { return &places{each: each, of: map[string]chan struct{}{}} }

// at returns the places of a vault, made at first use. Vaults come from the
// policy, so that there are few. Nil has none.
func (p *places) at(vault string) chan struct{} {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of[vault] == nil {
		p.of[vault] = make(chan struct{}, p.each)
	}
	return p.of[vault]
}

// used returns how many places are taken, of all vaults.
func (p *places) used() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, of := range p.of {
		n += len(of)
	}
	return n
}

// place is one of the places of a vault. An item gives it back when it ends, or
// when it begins to wait for the quota: there the gate knows whose turn is next,
// and a place that waited would hold up others.
type place struct {
	of   chan struct{}
	once sync.Once
}

// takePlace waits for a free place, of its own lane or of all, and fails when ctx
// ends before, or with errDrained when drained is closed. Go serves waiting
// senders of a channel first come, first served, so that jobs take turns item by
// item.
func takePlace(ctx context.Context, of, own chan struct{}, drained <-chan struct{}) (*place, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-drained:
		return nil, errDrained
	case of <- struct{}{}:
		return &place{of: of}, nil
	case own <- struct{}{}:
		return &place{of: own}, nil
	}
}

// free gives the place back, the first time that it is called.
func (p *place) free() { p.once.Do(func() { <-p.of }) }

// hand has an item done by a goroutine that is idle, or by a new one. They live
// as long as the worker: a goroutine for each item would grow its stack anew to
// the depth of an HTTP request.
func (w *Worker) hand(item func()) {
	select {
	case w.items <- item:
	default:
		w.hands.Go(func() {
			for item(); ; item() {
				next, ok := <-w.items
				if !ok {
					return
				}
				item = next
			}
		})
	}
}

// line is what a job has waiting for the quota. While there is something, the
// job starts no further item: one that waits is enough to get each turn, and
// thousands would only take memory.
type line struct {
	places chan struct{} // of the vault that the job is for
	own    chan struct{} // of its lane there; nil: none

	mu      sync.Mutex // guards the fields below
	waiting int
	empty   chan struct{} // closed when nothing waits any more; nil: nothing waits
}

// watch returns a context for an item. When the item waits for the quota, it
// gives its place back and stands in the line.
func (l *line) watch(ctx context.Context, p *place) context.Context {
	return quota.WithWaits(ctx, func(waits bool) {
		l.told(waits)
		p.free()
	})
}

// told takes in that one more item waits, or one less.
func (l *line) told(waits bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if waits {
		if l.waiting++; l.waiting == 1 {
			l.empty = make(chan struct{})
		}
		return
	}
	if l.waiting--; l.waiting == 0 {
		close(l.empty)
		l.empty = nil
	}
}

// await waits until no item waits, or ctx ends.
func (l *line) await(ctx context.Context) error {
	l.mu.Lock()
	empty := l.empty
	l.mu.Unlock()
	if empty == nil {
		return nil
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
