package quota

// flight is one call that was sent. Its slot in the table is used again; the
// generation tells a Pass whose slot is no longer its own.
type flight struct {
	generation uint64
	sent       float64
	cost       Units
	epoch      uint64
	probe      bool
	slotted    bool // sent under a grant
}

// flights is the table of calls in flight.
type flights struct {
	table []flight
	free  []int32
}

func (f *flights) len() int { return len(f.table) - len(f.free) }

// add returns the slot of a new flight and its generation.
func (f *flights) add(call flight) (slot int32, generation uint64) {
	if n := len(f.free); n > 0 {
		slot = f.free[n-1]
		f.free = f.free[:n-1]
	} else {
		slot = int32(len(f.table))
		f.table = append(f.table, flight{})
	}
	call.generation = f.table[slot].generation + 1
	f.table[slot] = call
	return slot, call.generation
}

// take ends a flight. It reports false if it has ended before.
func (f *flights) take(slot int32, generation uint64) (flight, bool) {
	if int(slot) >= len(f.table) || f.table[slot].generation != generation {
		return flight{}, false
	}
	call := f.table[slot]
	f.table[slot].generation++
	f.free = append(f.free, slot)
	return call, true
}
