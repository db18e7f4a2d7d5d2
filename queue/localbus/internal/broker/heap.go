package broker

// placed is an element that knows its place in one heap.
type placed[T any] interface {
	before(T) bool // strict order
	place() *int   // index plus one; zero: not in the heap
}

// heap is a binary min-heap. Since its elements know their places, any of
// them can leave in O(log n).
type heap[T placed[T]] struct{ items []T }

func (h *heap[T]) len() int { return len(h.items) }

// top returns the least element of a heap that is not empty.
func (h *heap[T]) top() T { return h.items[0] }

// push adds x, which must not be in the heap.
func (h *heap[T]) push(x T) {
	h.items = append(h.items, x)
	*x.place() = len(h.items)
	h.up(len(h.items) - 1)
}

// remove takes x out, if it is in.
func (h *heap[T]) remove(x T) {
	i := *x.place() - 1
	if i < 0 {
		return
	}
	last := len(h.items) - 1
	h.swap(i, last)
	clear(h.items[last:])
	h.items = h.items[:last]
	*x.place() = 0
	if i < last && !h.up(i) {
		h.down(i)
	}
}

// up moves element i towards the top and reports whether it moved.
func (h *heap[T]) up(i int) bool {
	start := i
	for i > 0 {
		parent := (i - 1) / 2
		if !h.items[i].before(h.items[parent]) {
			break
		}
		h.swap(i, parent)
		i = parent
	}
	return i != start
}

func (h *heap[T]) down(i int) {
	for {
		least := 2*i + 1
		if least >= len(h.items) {
			return
		}
		if right := least + 1; right < len(h.items) && h.items[right].before(h.items[least]) {
			least = right
		}
		if !h.items[least].before(h.items[i]) {
			return
		}
		h.swap(i, least)
		i = least
	}
}

func (h *heap[T]) swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.items[i].place() = i + 1
	*h.items[j].place() = j + 1
}
