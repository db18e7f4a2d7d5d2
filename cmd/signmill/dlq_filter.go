package main

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/schema"
)

// letterFilter says which dead letters are meant. The zero value means all.
type letterFilter struct {
	reasons      []string // in lower case; nil: any
	jobs         []string
	since, until time.Time      // zero: open
	match        *regexp.Regexp // on the description; nil: any
	limit        int            // the oldest only; 0: all
}

// filterFlags are the flags that a letterFilter is read from.
type filterFlags struct {
	reasons, jobs       []string
	since, until, match string
	limit               int
}

func (f *filterFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.reasons, "reason", nil, "with this `REASON` only, such as attempts_exhausted; may be repeated")
	flags.StringSliceVar(&f.jobs, "job", nil, "of the job with this `ID` only; may be repeated")
	flags.StringVar(&f.since, "since", "", "of jobs that came at or after this `TIME`, as RFC 3339, a date, or a span back from now such as 90m or 2d")
	flags.StringVar(&f.until, "until", "", "of jobs that came before this `TIME`")
	flags.StringVar(&f.match, "match", "", "whose description matches this regular `EXPRESSION`")
	flags.IntVar(&f.limit, "limit", 0, "the oldest `N` of them only; 0 is all")
	completeFlag(cmd, "reason", reasonNames())
}

// reasonNames lists the reasons of workers, then those of the broker
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues).
func reasonNames() (names []string) {
	for _, code := range schema.DeadLetterReasons() {
		names = append(names, string(code))
	}
	return append(names, "MaxDeliveryCountExceeded", "TTLExpiredException", "HeaderSizeExceeded")
}

// filter reads the flags.
func (f *filterFlags) filter(now time.Time) (filter letterFilter, err error) {
	if f.limit < 0 {
		return filter, usagef("--limit %d: use 0 for all, or more", f.limit)
	}
	filter = letterFilter{jobs: f.jobs, limit: f.limit}
	for _, reason := range f.reasons {
		filter.reasons = append(filter.reasons, strings.ToLower(reason))
	}
	if filter.since, err = parseWhen("since", f.since, now); err != nil {
		return filter, err
	}
	if filter.until, err = parseWhen("until", f.until, now); err != nil {
		return filter, err
	}
	if f.match == "" {
		return filter, nil
	}
	if filter.match, err = regexp.Compile(f.match); err != nil {
		return filter, usagef("--match: %w", err)
	}
	return filter, nil
}

// takes reports whether l is meant. The limit is for the caller.
func (f letterFilter) takes(l letter) bool {
	switch {
	case f.reasons != nil && !slices.Contains(f.reasons, strings.ToLower(l.Reason)),
		f.jobs != nil && !slices.Contains(f.jobs, l.JobID),
		!f.since.IsZero() && l.Enqueued.Before(f.since),
		!f.until.IsZero() && !l.Enqueued.Before(f.until),
		f.match != nil && !f.match.MatchString(l.Description):
		return false
	}
	return true
}

// parseWhen reads a point in time; "" is the zero time.
func parseWhen(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	span := text
	if days, ok := strings.CutSuffix(text, "d"); ok {
		span = days + "h"
	}
	back, err := time.ParseDuration(span)
	if err != nil || back < 0 {
		return time.Time{}, usagef("--%s %q: use RFC 3339 such as 2027-01-31T12:00:00Z, a date, or a span back from now such as 90m or 2d", flag, text)
	}
	if span != text {
		back *= 24
	}
	return now.Add(-back), nil
}
