package localbus

import (
	"sync/atomic"
	"time"
)

// Faults make the server misbehave on purpose, for tests of clients. The zero
// value is a server without faults. Faults are counted, not drawn: the same
// run of events meets the same faults. Counts run over the whole server, except
// where it says connection.
type Faults struct {
	ServerBusyEvery int           // each n-th sent message and management request is refused as com.microsoft:server-busy; zero: none
	RefuseLinkEvery int           // each n-th attach is refused as com.microsoft:server-busy; zero: none
	NoCredit        bool          // links never get credit to send
	LoseLockEvery   int           // each n-th delivered message has lost its lock when it arrives; zero: none
	DuplicateEvery  int           // each n-th message delivered under a lock is put into the queue a second time; zero: none
	DropAfterFrames int           // a connection is dropped when it has sent so many frames after its open; zero: never
	HalfFrameEvery  int           // each n-th transfer is cut in half and its connection dropped; zero: none
	Delay           time.Duration // each message waits so long before it is delivered; zero: not at all
	MaxFaults       int           // so many refusals, lost locks, duplicates, drops and cuts of each kind, then no more; zero: no limit
}

// counter fires on each n-th event.
type counter struct {
	every int64
	limit int64 // times that it fires; zero: always
	seen  atomic.Int64
	fired atomic.Int64
}

func (c *counter) hit() bool {
	if c.every <= 0 || c.seen.Add(1)%c.every != 0 {
		return false
	}
	return c.limit <= 0 || c.fired.Add(1) <= c.limit
}

// faultState counts the events of a server.
type faultState struct {
	busy, refuse, lose, duplicate, cut counter
	dropAfter                          int
	drops                              counter
}

func (s *faultState) init(f Faults) {
	limit := int64(f.MaxFaults)
	s.dropAfter = f.DropAfterFrames
	for c, every := range map[*counter]int{
		&s.busy: f.ServerBusyEvery, &s.refuse: f.RefuseLinkEvery, &s.lose: f.LoseLockEvery,
		&s.duplicate: f.DuplicateEvery, &s.cut: f.HalfFrameEvery, &s.drops: 1,
	} {
		c.every, c.limit = int64(every), limit
	}
}

// dropNow reports whether a connection that has sent so many frames is to be
// dropped.
func (s *faultState) dropNow(frames int) bool {
	return s.dropAfter > 0 && frames == s.dropAfter && s.drops.hit()
}

// cutNow reports whether the present transfer is to be cut.
func (s *faultState) cutNow() bool { return s.cut.hit() }
