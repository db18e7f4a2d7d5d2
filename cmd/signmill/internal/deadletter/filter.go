package deadletter

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/signmill/signmill/schema"
)

// Filter says which dead letters are meant. The zero value means all.
type Filter struct {
	Reasons      []string // in lower case; nil: any
	Jobs         []string
	Since, Until time.Time      // zero: open
	Match        *regexp.Regexp // on the description; nil: any
	Limit        int            // the oldest only; 0: all
}

// Takes reports whether l is meant. The limit is for the caller.
func (f Filter) Takes(l Letter) bool {
	switch {
	case f.Reasons != nil && !slices.Contains(f.Reasons, strings.ToLower(l.Reason)),
		f.Jobs != nil && !slices.Contains(f.Jobs, l.JobID),
		!f.Since.IsZero() && l.Enqueued.Before(f.Since),
		!f.Until.IsZero() && !l.Enqueued.Before(f.Until),
		f.Match != nil && !f.Match.MatchString(l.Description):
		return false
	}
	return true
}

// Reasons lists the reasons of workers, then those of the broker
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues).
func Reasons() (names []string) {
	for _, code := range schema.DeadLetterReasons() {
		names = append(names, string(code))
	}
	return append(names, "MaxDeliveryCountExceeded", "TTLExpiredException", "HeaderSizeExceeded")
}
