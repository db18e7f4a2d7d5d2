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
// and returns it in UTC. It checks the form itself: package time also takes
// hours of one digit, a comma before the fraction, and offsets over a day.
func parseTime(text string) (time.Time, bool) {
	const form = "0000-00-00T00:00:00"
	if len(text) > maxTime || len(text) <= len(form) || !formed(text[:len(form)], form) {
		return time.Time{}, false
	}
	zone := text[len(form):]
	if fraction, found := strings.CutPrefix(zone, "."); found {
		zone = strings.TrimLeft(fraction, "0123456789")
		if len(zone) == len(fraction) {
			return time.Time{}, false
		}
	}
	if zone != "Z" && !offset(zone) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err == nil
}

// offset reports whether s is a zone's distance from UTC, less than a day.
func offset(s string) bool {
	return (formed(s, "+00:00") || formed(s, "-00:00")) && s[1:3] < "24" && s[4:6] < "60"
}

// formed reports whether s is like form, where 0 stands for any digit.
func formed(s, form string) bool {
	if len(s) != len(form) {
		return false
	}
	for i := range len(s) {
		digit := '0' <= s[i] && s[i] <= '9'
		if (form[i] != '0' || !digit) && form[i] != s[i] {
			return false
		}
	}
	return true
}
