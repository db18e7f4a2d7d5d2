package broker

import (
	"cmp"
	"iter"
	"slices"
	"sort"
)

// index holds records in the order of their sequence numbers, in chunks, so
// that any of them is found, added or removed in about O(log n), and the
// common cases (add at the end, remove at the front) at once.
type index struct {
	chunks [][]*record // none is empty
	n      int
}

// chunkSize is the most that a chunk holds. Smaller ones cost more chunks, larger
// ones more copying when a record leaves from the middle.
const chunkSize = 512

// seek returns where number is, or where it belongs.
func (x *index) seek(number int64) (chunk, i int, found bool) {
	chunk = sort.Search(len(x.chunks), func(c int) bool {
		records := x.chunks[c]
		return records[len(records)-1].number >= number
	})
	if chunk == len(x.chunks) {
		return chunk, 0, false
	}
	i, found = slices.BinarySearchFunc(x.chunks[chunk], number, func(r *record, n int64) int {
		return cmp.Compare(r.number, n)
	})
	return chunk, i, found
}

// find returns the record of a number, or nil.
func (x *index) find(number int64) *record {
	if c, i, found := x.seek(number); found {
		return x.chunks[c][i]
	}
	return nil
}

// from yields the records from number on. The index must not change meanwhile.
func (x *index) from(number int64) iter.Seq[*record] {
	return func(yield func(*record) bool) {
		c, i, _ := x.seek(number)
		for ; c < len(x.chunks); c, i = c+1, 0 {
			for _, r := range x.chunks[c][i:] {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// add puts r in its place. Its number must be new.
func (x *index) add(r *record) {
	x.n++
	last := len(x.chunks) - 1
	if last < 0 || x.chunks[last][len(x.chunks[last])-1].number < r.number {
		x.append(r)
		return
	}
	x.insert(r)
}

// insert adds a record whose number is not the greatest.
func (x *index) insert(r *record) {
	c, i, _ := x.seek(r.number)
	if records := x.chunks[c]; len(records) < chunkSize {
		x.chunks[c] = slices.Insert(records, i, r)
		return
	}
	x.split(c)
	x.insert(r)
}

// split makes two chunks of c.
func (x *index) split(c int) {
	half := len(x.chunks[c]) / 2
	right := slices.Clone(x.chunks[c][half:])
	x.chunks[c] = slices.Clone(x.chunks[c][:half])
	x.chunks = slices.Insert(x.chunks, c+1, right)
}

// append adds a record whose number is the greatest.
func (x *index) append(r *record) {
	last := len(x.chunks) - 1
	if last < 0 || len(x.chunks[last]) >= chunkSize {
		x.chunks = append(x.chunks, nil)
		last++
	}
	x.chunks[last] = append(x.chunks[last], r)
}

// remove takes r out, if it is in.
func (x *index) remove(r *record) {
	c, i, found := x.seek(r.number)
	if !found || x.chunks[c][i] != r {
		return
	}
	x.n--
	if i == 0 {
		x.chunks[c][0] = nil
		x.chunks[c] = x.chunks[c][1:]
	} else {
		x.chunks[c] = slices.Delete(x.chunks[c], i, i+1)
	}
	x.tidy(c)
}

// tidy drops a chunk that became empty and joins one that became small with a
// neighbour, so that few records cannot hold many chunks.
func (x *index) tidy(c int) {
	switch {
	case len(x.chunks[c]) == 0 && len(x.chunks) == 1:
		x.chunks = x.chunks[:0] // an idle queue keeps its memory for the next message
	case len(x.chunks[c]) == 0 && c == 0:
		x.chunks[0] = nil
		x.chunks = x.chunks[1:]
	case len(x.chunks[c]) == 0:
		x.chunks = slices.Delete(x.chunks, c, c+1)
	case x.small(c):
		x.join(c)
	case c > 0 && x.small(c-1):
		x.join(c - 1)
	}
}

// small reports whether chunk c and the one after it ought to be one.
func (x *index) small(c int) bool {
	return c+1 < len(x.chunks) && len(x.chunks[c])+len(x.chunks[c+1]) <= chunkSize/4
}

// join makes one chunk of c and the one after it.
func (x *index) join(c int) {
	x.chunks[c] = slices.Concat(x.chunks[c], x.chunks[c+1])
	x.chunks = slices.Delete(x.chunks, c+1, c+2)
}
