package localvault

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// period is a length of time in seconds.
type period int64

// day and the others are the units of ISO 8601, where a month has 30 days and a
// year 365.
const (
	second period = 1
	minute        = 60 * second
	hour          = 60 * minute
	day           = 24 * hour
)

type unit struct {
	letter byte
	length period
}

// dateUnits and clockUnits are constant, and in the order in which they must
// stand.
var (
	dateUnits  = []unit{{'Y', 365 * day}, {'M', 30 * day}, {'W', 7 * day}, {'D', day}}
	clockUnits = []unit{{'H', hour}, {'M', minute}, {'S', second}}
)

// parsePeriod reads a period such as P90D, P1Y10D or PT48H (ISO 8601 section
// 4.4.3.2). Its numbers have one to five digits.
func parsePeriod(text string) (period, error) {
	rest, ok := strings.CutPrefix(text, "P")
	date, clock, hasClock := strings.Cut(rest, "T")
	if !ok || rest == "" || hasClock && clock == "" {
		return 0, fmt.Errorf("%q is not a period such as P90D", text)
	}
	days, err := sum(date, dateUnits)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", text, err)
	}
	hours, err := sum(clock, clockUnits)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", text, err)
	}
	return days + hours, nil
}

// sum adds up numbers with their units.
func sum(text string, units []unit) (period, error) {
	var total period
	for text != "" {
		digits := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
		if digits < 1 || digits > 5 {
			return 0, errors.New("a number of one to five digits and a unit are needed")
		}
		n, err := strconv.Atoi(text[:digits])
		if err != nil {
			return 0, err
		}
		for len(units) > 0 && units[0].letter != text[digits] {
			units = units[1:]
		}
		if len(units) == 0 {
			return 0, errors.New("a unit is unknown, stands twice or in the wrong place")
		}
		total += period(n) * units[0].length
		units, text = units[1:], text[digits+1:]
	}
	return total, nil
}
