package quota

import "math"

// stock holds the stretches of the fleet's sequence that were granted.
type stock struct{}

func newStock() stock { return stock{} }

func (s *stock) wait(now float64, cost Units) float64 { return longestSleep }

func (s *stock) take(call *flight) {}

func (s *stock) done(call flight, r Result, now float64) {}

// most is the dearest call that may go.
func (g *Gate) most(now float64) Units { return math.MaxInt }
