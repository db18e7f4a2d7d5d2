package status

import (
	"context"
	"errors"
	"time"

	"github.com/signmill/signmill/queue"
)

// look is what a lookout saw: the numbers of the first message that waited and
// of the newest one. There was none where the newest comes before the first.
type look struct {
	at            time.Time // zero: not yet
	first, newest int64
	err           error // why they are not known
}

// jobs is how many of them the worker has not got yet.
func (l look) jobs(latest int64) int64 { return max(0, l.newest-max(l.first, latest+1)+1) }

// idle is for how long a call may ask for jobs before none waits: what is on the
// queue is then with other replicas.
const idle = 2 * time.Second

// partitioned is the first number that a queue with partitions may give: the
// upper 16 bits are those of the partition.
const partitioned = 1 << 48

var errPartitioned = errors.New("the queue has partitions, each with numbers of its own")

// look finds out what waits. Jobs that are put off are on the queue, too.
func (l *lookout) look(ctx context.Context) (none look, err error) {
	none.first = 1
	s := l.state()
	ahead, err := l.Browser.Browse(ctx, s.Latest+1, 1)
	if err != nil || len(ahead) == 0 {
		return none, err
	}
	first := ahead[0].SequenceNumber
	if first >= partitioned {
		return none, errPartitioned
	}
	if s.Asking > idle && !ahead[0].ScheduledAt.After(time.Now()) {
		return none, nil
	}
	if l.newest, err = newest(ctx, l.Browser, max(first, l.newest)); err != nil {
		return none, err
	}
	return look{first: first, newest: l.newest}, nil
}

// newest returns the highest number on a queue, of which from is one or was one.
func newest(ctx context.Context, b queue.Browser, from int64) (int64, error) {
	low, high := from, int64(-1) // is there or was; nothing is there or beyond; -1: not known
	for step := int64(1); high < 0 || high-low > 1; step *= 2 {
		at := low + step
		if high >= 0 {
			at = low + (high-low)/2
		}
		seen, err := b.Browse(ctx, at, 1)
		switch {
		case err != nil:
			return low, err
		case len(seen) == 0:
			high = at
		default:
			low = seen[0].SequenceNumber
		}
	}
	return low, nil
}
