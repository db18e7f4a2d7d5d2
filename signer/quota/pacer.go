package quota

// A time inside this package is in seconds since the gate's birth, a rate in
// units per second.

// burst is how much unused rate a pacer keeps, in seconds.
const burst = 0.05

// pacer is a bucket that goes into debt: a call may go when the balance is not
// negative, and is paid afterwards. So a dear call needs no burst, and any span
// T sees at most rate x (T + burst) units and one call more.
type pacer struct {
	balance float64 // units
	at      float64 // time of balance
}

// fill adds what has come in since the last time.
func (p *pacer) fill(now, rate float64) {
	p.balance = min(rate*burst, p.balance+(now-p.at)*rate)
	p.at = now
}

// wait returns how long the next call must wait at this rate. It holds for the
// balance of the last fill.
func (p *pacer) wait(rate float64) float64 {
	if p.balance >= 0 {
		return 0
	}
	return -p.balance / rate
}

func (p *pacer) pay(cost Units) { p.balance -= float64(cost) }
