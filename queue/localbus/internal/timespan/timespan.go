// Package timespan reads and writes the durations of Service Bus queue
// properties: ISO 8601 durations of days, hours, minutes and seconds, such as
// PT1M30S or P7D. It is safe for concurrent use.
package timespan

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Unlimited is what durations beyond 292 years are read as. Service Bus uses
// its longest one, Max, to say forever.
const (
	Unlimited time.Duration = math.MaxInt64
	Max                     = "P10675199DT2H48M5.4775807S"
)

// Parse reads a duration that is not negative. Digits of seconds beyond the
// ninth after the point are dropped.
func Parse(s string) (time.Duration, error) {
	bad := fmt.Errorf("duration %.40q: has to be like P1DT2H3M4.5S", s)
	rest, ok := strings.CutPrefix(s, "P")
	days, clock, hasClock := strings.Cut(rest, "T")
	if !ok || rest == "" || hasClock && clock == "" {
		return 0, bad
	}
	d1, ok1 := sum(days, []unit{{'D', 24 * time.Hour}})
	d2, ok2 := sum(clock, []unit{{'H', time.Hour}, {'M', time.Minute}, {'S', time.Second}})
	if !ok1 || !ok2 {
		return 0, bad
	}
	return add(d1, d2), nil
}

// unit is a letter and what it stands for.
type unit struct {
	letter byte
	length time.Duration
}

// sum reads numbers followed by units. Each unit comes once at most, in order;
// only seconds have a fraction.
func sum(s string, units []unit) (total time.Duration, ok bool) {
	for _, u := range units {
		number, rest, found := strings.Cut(s, string(u.letter))
		if !found {
			continue
		}
		d, ok := scale(number, u)
		if !ok {
			return 0, false
		}
		total, s = add(total, d), rest
	}
	return total, s == ""
}

// scale multiplies a decimal number with a unit.
func scale(number string, u unit) (time.Duration, bool) {
	whole, fraction, hasFraction := strings.Cut(number, ".")
	if !digits(whole) || hasFraction && (u.length != time.Second || !digits(fraction)) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > int64(Unlimited/u.length) {
		return Unlimited, true
	}
	nanos, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	return add(time.Duration(n)*u.length, time.Duration(nanos)), true
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// add adds up to Unlimited.
func add(a, b time.Duration) time.Duration {
	if a > Unlimited-b {
		return Unlimited
	}
	return a + b
}

// Format writes a duration; negative ones and Unlimited are written as Max.
func Format(d time.Duration) string {
	switch {
	case d < 0 || d == Unlimited:
		return Max
	case d == 0:
		return "PT0S"
	}
	var b strings.Builder
	b.WriteByte('P')
	if days := d / (24 * time.Hour); days > 0 {
		fmt.Fprintf(&b, "%dD", days)
		d %= 24 * time.Hour
	}
	if d > 0 {
		b.WriteByte('T')
		writeClock(&b, d)
	}
	return b.String()
}

// writeClock writes what is left of a day.
func writeClock(b *strings.Builder, d time.Duration) {
	if h := d / time.Hour; h > 0 {
		fmt.Fprintf(b, "%dH", h)
	}
	if m := d % time.Hour / time.Minute; m > 0 {
		fmt.Fprintf(b, "%dM", m)
	}
	if s := d % time.Minute; s > 0 {
		text := fmt.Sprintf("%d.%09d", s/time.Second, s%time.Second)
		b.WriteString(strings.TrimRight(strings.TrimRight(text, "0"), "."))
		b.WriteByte('S')
	}
}
