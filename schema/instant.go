package schema

import (
	"strings"
	"time"
)

// maxTime is the length of the longest text that notAfter may be.
const maxTime = 40

// notAfter reads the instant after which the result is useless.
func (r *reader) notAfter(j *Job, text string) *Invalid {
	t, ok := parseTime(text)
	if !ok {
		return r.fault("must be a date and time as in RFC 3339, such as 2027-01-31T12:00:00Z; is %s", show(text))
	}
	if j.NotAfter = t; t.IsZero() {
		return r.fault("must be in the years 2000 to 9999 (UTC), is in 1")
	}
	return nil
}

// parseTime reads a date-time of RFC 3339, section 5.6, with capital T and Z,
// and returns it in UTC. Package time also takes hours of one digit, a comma
// before the fraction, and offsets of a day and more. It is enough to look at
// the zone: with an hour of one digit it is not in its place.
func parseTime(text string) (time.Time, bool) {
	const seconds = len("2006-01-02T15:04:05")
	if len(text) > maxTime || len(text) < seconds {
		return time.Time{}, false
	}
	zone := text[seconds:]
	if fraction, found := strings.CutPrefix(zone, "."); found {
		zone = strings.TrimLeft(fraction, "0123456789")
	}
	if zone != "Z" && !offset(zone) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err == nil
}

// offset reports whether s, which package time will parse, is a zone's
// distance from UTC of less than a day.
func offset(s string) bool {
	return len(s) == len("+00:00") && s[1:3] < "24" && s[4:6] < "60"
}
