package worker_test

import (
	"time"

	"github.com/signmill/signmill/signer/localvault"
)

// strike makes one thing go wrong.
func (w *world) strike() {
	all := w.blows()
	b := all[w.random.IntN(len(all))]
	w.strikes[b.name]++
	b.fall(1 + w.random.IntN(4))
}

// blow is one thing that can go wrong, with a measure from 1 to 4.
type blow struct {
	name string
	fall func(n int)
}

func (w *world) blows() []blow {
	vault := func(name string, faults func(n int) localvault.Faults) blow {
		return blow{name, func(n int) { w.vault.SetFaults(faults(n)) }}
	}
	return []blow{
		{"connections dropped", func(int) { w.bus.DropConnections() }},
		{"locks lost", func(int) { w.bus.LoseLocks(simulated) }},
		{"half open", func(int) { w.victim((*replica).hush) }},
		{"drained", func(int) { w.victim((*replica).drain); w.open() }},
		{"drained", func(int) { w.victim((*replica).drain); w.open() }},
		{"killed", func(int) { w.victim((*replica).kill); w.open() }},
		{"one more", func(int) { w.open() }},
		{"long pause", w.pause},
		vault("throttled", func(n int) localvault.Faults { return localvault.Faults{Throttle: 4 * n} }),
		vault("vault fails", func(n int) localvault.Faults {
			return localvault.Faults{Fail: 10 * n, Delay: time.Duration(n) * time.Second}
		}),
		vault("vault drops", func(n int) localvault.Faults { return localvault.Faults{DropRequest: n, DropAnswer: n} }),
		vault("vault lies", func(n int) localvault.Faults {
			return localvault.Faults{WrongSignature: n, RepeatedR: n, WrongVersion: n, Unpadded: n}
		}),
		vault("vault slow", func(n int) localvault.Faults { return localvault.Faults{Delay: time.Duration(10*n) * time.Second} }),
		vault("tokens expired", func(n int) localvault.Faults { return localvault.Faults{Expire: n} }),
		vault("vault well", func(int) localvault.Faults { return localvault.Faults{} }),
	}
}

// pause lets hours pass with a vault that is well. Tokens expire meanwhile.
func (w *world) pause(hours int) {
	w.vault.SetFaults(localvault.Faults{})
	<-time.After(time.Duration(hours) * time.Hour)
}

// victim does something to one of the living workers.
func (w *world) victim(what func(*replica)) {
	if alive := w.alive(); len(alive) > 0 {
		what(alive[w.random.IntN(len(alive))])
	}
}
