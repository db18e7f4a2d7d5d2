package deadletter

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/queue"
)

// browsePage is how many dead letters are looked at in one call.
const browsePage = 100

// Scan looks at the dead letters in the order of their numbers, and yields those
// that the filter takes, up to its limit. It takes nothing from the queue and
// holds one page at a time. An error ends it.
func Scan(ctx context.Context, b queue.Browser, filter Filter) iter.Seq2[queue.Browsed, error] {
	return func(yield func(queue.Browsed, error) bool) {
		var from int64
		for found := 0; ; {
			page, err := b.Browse(ctx, from, browsePage)
			if err != nil {
				yield(queue.Browsed{}, err)
				return
			}
			if len(page) == 0 {
				return
			}
			for _, m := range page {
				from = max(from, m.SequenceNumber) + 1
				if !filter.Takes(New(m.Message, m.Receipt)) {
					continue
				}
				if !yield(m, nil) {
					return
				}
				if found++; found == filter.Limit {
					return
				}
			}
		}
	}
}

// Census counts dead letters by reason. The zero value has counted none.
type Census struct {
	Total   int
	Reasons map[string]int
	Last    int64 // the highest sequence number
}

// maxReasons bounds a census: anybody who may listen can make reasons up.
const maxReasons = 50

// Add counts one.
func (c *Census) Add(l Letter) {
	reason := l.Reason
	if c.Reasons == nil {
		c.Reasons = map[string]int{}
	}
	if _, known := c.Reasons[reason]; !known && len(c.Reasons) >= maxReasons {
		reason = "other reasons"
	}
	c.Reasons[reason]++
	c.Total++
	c.Last = max(c.Last, l.SequenceNumber)
}

// Take counts what the filter takes now. On an error it has counted a part.
func (c *Census) Take(ctx context.Context, b queue.Browser, filter Filter) error {
	for m, err := range Scan(ctx, b, filter) {
		if err != nil {
			return err
		}
		c.Add(New(m.Message, m.Receipt))
	}
	return nil
}

// String says how many there are, most first.
func (c *Census) String() string {
	if c.Total == 0 {
		return "no dead letters"
	}
	names := slices.SortedFunc(maps.Keys(c.Reasons), func(a, b string) int {
		if d := c.Reasons[b] - c.Reasons[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	parts := make([]string, len(names))
	for i, name := range names {
		shown := display.OneLine(display.Cut(name, 60))
		if name == "" {
			shown = "without a reason"
		}
		parts[i] = fmt.Sprintf("%s %s", display.Grouped(int64(c.Reasons[name])), shown)
	}
	letters := "dead letters"
	if c.Total == 1 {
		letters = "dead letter"
	}
	return fmt.Sprintf("%s %s: %s", display.Grouped(int64(c.Total)), letters, strings.Join(parts, ", "))
}
