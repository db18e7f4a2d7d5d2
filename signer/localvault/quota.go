package localvault

import (
	"sync"
	"time"
)

// Shape is how a quota's window moves. The real service documents none.
type Shape int

const (
	// FixedWindow starts from nothing again every Quota.Window, counted from
	// the start of the vault.
	FixedWindow Shape = iota
	// SlidingWindow looks back over the last Quota.Window at every moment.
	SlidingWindow
)

// Quota is what the vault allows in a window, in cost units. The zero value
// does not limit anything.
type Quota struct {
	// Units for all but create, rotate, release and import. Zero or less: no limit
	// of any kind. The documented figure is 4,000.
	Units int
	// Window is its length. Zero: 10 s.
	Window time.Duration
	// Shape of the window. Zero: FixedWindow.
	Shape Shape
	// Costs of an operation. Fields that are zero: those of DefaultCosts.
	Costs Costs
	// CreateSoftware, CreateHSM and Import are separate limits, in requests per
	// window. Zero: 20, 10 and 300. Rotate and release draw on those of create,
	// by the type of the key.
	CreateSoftware, CreateHSM, Import int
	// ChargeRejected makes a request that is answered 429 cost as much as one
	// that is not. The documentation says both yes and no.
	ChargeRejected bool
	// ChargeProbes makes a request without a token cost one unit.
	ChargeProbes bool
	// RetryAfter is sent with 429, in whole seconds rounded up. Zero: not sent,
	// as captured vaults do.
	RetryAfter time.Duration
}

// Costs are units per operation on a software and on an HSM key.
type Costs struct{ Software, HSM Weights }

// Weights are units per operation by the size of the key. All curves cost the
// same, and so do symmetric keys, for which no figure is published.
type Weights struct{ RSA2048, RSA3072, RSA4096, EC int }

// DefaultCosts follow from the documented limits per 10 s: 4,000, 1,000 and 500
// operations for software RSA keys, half of that for HSM keys.
func DefaultCosts() Costs {
	return Costs{
		Software: Weights{RSA2048: 1, RSA3072: 4, RSA4096: 8, EC: 1},
		HSM:      Weights{RSA2048: 2, RSA3072: 8, RSA4096: 16, EC: 2},
	}
}

// or fills in what is not positive.
func (w Weights) or(standard Weights) Weights {
	for field, value := range map[*int]int{&w.RSA2048: standard.RSA2048, &w.RSA3072: standard.RSA3072,
		&w.RSA4096: standard.RSA4096, &w.EC: standard.EC} {
		if *field <= 0 {
			*field = value
		}
	}
	return w
}

// of returns the cost of an operation on that version.
func (c Costs) of(v *version) int {
	w := c.Software
	if isHSM(v.kty) {
		w = c.HSM
	}
	switch v.material.class().bits {
	case 2048:
		return w.RSA2048
	case 3072:
		return w.RSA3072
	case 4096:
		return w.RSA4096
	}
	return w.EC
}

func (q Quota) withDefaults() Quota {
	if q.Window <= 0 {
		q.Window = 10 * time.Second
	}
	standard := DefaultCosts()
	q.Costs.Software = q.Costs.Software.or(standard.Software)
	q.Costs.HSM = q.Costs.HSM.or(standard.HSM)
	for field, value := range map[*int]int{&q.CreateSoftware: 20, &q.CreateHSM: 10, &q.Import: 300} {
		if *field <= 0 {
			*field = value
		}
	}
	return q
}

// meter counts what requests cost.
type meter struct {
	clock Clock

	mu                                        sync.Mutex // guards the fields below
	quota                                     Quota
	other, createSoftware, createHSM, imports window
}

func newMeter(clock Clock, quota Quota) *meter {
	m := &meter{clock: clock}
	m.configure(quota)
	return m
}

// configure sets the quota. What was used in the windows stays used, unless
// their length or shape changes.
func (m *meter) configure(quota Quota) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.quota
	m.quota = quota.withDefaults()
	limits := map[*window]int{&m.other: quota.Units, &m.createSoftware: m.quota.CreateSoftware,
		&m.createHSM: m.quota.CreateHSM, &m.imports: m.quota.Import}
	for w, limit := range limits {
		if before.Window != m.quota.Window || before.Shape != quota.Shape {
			*w = window{start: m.clock.Now(), span: m.quota.Window, shape: quota.Shape}
		}
		w.limit = limit
	}
}

// createWindow returns the window that creating, rotating and releasing a key
// draw on.
func (m *meter) createWindow(hsm bool) *window {
	if hsm {
		return &m.createHSM
	}
	return &m.createSoftware
}

// SetQuota changes the quota at any time. What was used in the running window
// stays used, unless the window's length or shape changes.
func (s *Server) SetQuota(q Quota) { s.meter.configure(q) }

// charge takes the cost out of a window of the meter, or refuses.
func (s *Server) charge(w *window, cost int) error {
	m := s.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.quota.Units <= 0 {
		return nil
	}
	if w.take(m.clock.Now(), cost, m.quota.ChargeRejected) {
		return nil
	}
	return delayed(throttled(), m.quota.RetryAfter)
}

// chargeKey charges an operation on a version; on no version it costs one unit.
func (s *Server) chargeKey(v *version) error {
	cost := 1
	if v != nil {
		cost = s.meter.costs().of(v)
	}
	return s.charge(&s.meter.other, cost)
}

// chargeProbe charges a request without a token, if it costs anything.
func (s *Server) chargeProbe() error {
	if !s.meter.chargesProbes() {
		return nil
	}
	return s.charge(&s.meter.other, 1)
}

func (m *meter) costs() Costs {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.quota.Costs
}

func (m *meter) chargesProbes() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.quota.ChargeProbes
}
