package status

import (
	"fmt"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// perSecond writes a rate as exactly as it is of use.
func perSecond(rate float64) string {
	if rate >= 99.95 || rate < 0.05 {
		return display.Grouped(int64(rate + 0.5))
	}
	return fmt.Sprintf("%.1f", rate)
}

// lasting writes a time as exactly as people want it.
func lasting(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 1:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	}
	return fmt.Sprintf("%d s", int(d/time.Second))
}

// plural returns "1 job" or "2 jobs".
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return display.Grouped(n) + " " + noun + "s"
}

// eta tells when a backlog is done, and as whose rate.
func (b Backlog) eta() (value, about string) {
	others := "at the rate of this worker"
	if b.Replicas == 2 {
		others = "if the other replica is as fast"
	} else if b.Replicas > 2 {
		others = fmt.Sprintf("if the other %d replicas are as fast", b.Replicas-1)
	}
	switch {
	case !b.Known:
		return "unknown", b.Why
	case b.Jobs == 0:
		return "nothing waits", ""
	case b.ETA < 0:
		return "unknown", "nothing was done in the last minute"
	case b.ETA >= mostETA.Seconds():
		return "over a month", others
	}
	return "about " + lasting(b.ETA), others
}

// size tells how much waits.
func (b Backlog) size() string {
	switch {
	case !b.Known:
		return "unknown"
	case b.Jobs == 0:
		return "0"
	}
	return "about " + display.Grouped(b.Jobs)
}
