package broker

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// numbers returns what the index yields from a number on.
func (x *index) numbers(from int64) []int64 {
	var all []int64
	for r := range x.from(from) {
		all = append(all, r.number)
	}
	return all
}

// TestIndexAgainstSortedSlice adds and removes at random, in the middle more
// often than real queues do, and compares with a plain sorted slice.
func TestIndexAgainstSortedSlice(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 2))
		var x index
		var want []int64
		for step := range 12000 {
			n := random.Int64N(6000)
			i, found := slices.BinarySearch(want, n)
			switch grow := step%6000 < 4000; {
			case !found && grow:
				x.add(&record{number: n})
				want = slices.Insert(want, i, n)
			case found && !grow:
				x.remove(x.find(n))
				want = slices.Delete(want, i, i+1)
			case !found && x.find(n) != nil:
				t.Fatalf("found %d, which is not there", n)
			}
			if step%500 == 0 {
				from := random.Int64N(6000)
				j, _ := slices.BinarySearch(want, from)
				if got := x.numbers(from); !slices.Equal(got, want[j:]) || x.n != len(want) {
					t.Fatalf("step %d: from %d: %d records, want %d", step, from, len(got), len(want)-j)
				}
			}
		}
	}
}

// TestIndexStaysSmall leaves one record in a thousand behind.
func TestIndexStaysSmall(t *testing.T) {
	t.Parallel()
	var x index
	var left int
	for n := range int64(500_000) {
		r := &record{number: n}
		x.add(r)
		if n%1000 == 7 {
			left++
			continue
		}
		x.remove(r)
		x.remove(r) // a second time does nothing
	}
	if x.n != left || len(x.numbers(0)) != left {
		t.Errorf("%d records, want %d", x.n, left)
	}
	if most := 4 + 8*left/chunkSize; len(x.chunks) > most {
		t.Errorf("%d chunks for %d records, want at most %d", len(x.chunks), left, most)
	}
}

// TestIndexStaysSmallAfterHoles fills first and then leaves holes.
func TestIndexStaysSmallAfterHoles(t *testing.T) {
	t.Parallel()
	var x index
	for n := range int64(100_000) {
		x.add(&record{number: n})
	}
	for n := range int64(100_000) {
		if n%500 != 0 {
			x.remove(x.find(n))
		}
	}
	if x.n != 200 || len(x.chunks) > 12 {
		t.Errorf("%d records in %d chunks, want 200 in at most 12", x.n, len(x.chunks))
	}
}

func TestHeapAgainstSort(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 3))
	var h heap[*record]
	var all []*record
	for n := range int64(2000) {
		all = append(all, &record{number: n})
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, r := range all {
		h.push(r)
	}
	for _, r := range all[:1000] { // from anywhere in the heap
		h.remove(r)
		h.remove(r)
	}
	var got, want []int64
	for _, r := range all[1000:] {
		want = append(want, r.number)
	}
	for h.len() > 0 {
		got = append(got, h.top().number)
		h.remove(h.top())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %d elements out of order or lost, want %d in order", len(got), len(want))
	}
}

// TestNothingIsKept runs a queue empty and looks for leftovers inside.
func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	b := New(Config{})
	defer b.Close()
	if _, err := b.Create("jobs", Properties{RequiresSession: true}); err != nil {
		t.Fatal(err)
	}
	q, _ := b.Open("jobs")
	for range 3 {
		if _, err := q.Send(Message{ID: "a", SessionID: "s", HasSession: true, TTL: 1 << 50}); err != nil {
			t.Fatal(err)
		}
		c, err := q.AcceptSession(t.Context(), SessionConfig{Next: true})
		if err != nil {
			t.Fatal(err)
		}
		d, _ := c.Take(1)
		if err := q.Settle(Settlement{Outcome: Complete}, d[0].LockToken); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	e := q.entity
	if n := len(e.sessions) + e.free.len() + e.alarms.len() + len(q.locks) + q.all.n + len(q.all.chunks); n != 0 || e.bytes != 0 {
		t.Errorf("%d leftovers, %d bytes", n, e.bytes)
	}
}
