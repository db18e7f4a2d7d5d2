package main

import (
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/deadletter"
)

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
	completeFlag(cmd, "reason", deadletter.Reasons())
}

// filter reads the flags.
func (f *filterFlags) filter(now time.Time) (filter deadletter.Filter, err error) {
	if f.limit < 0 {
		return filter, usagef("--limit %d: use 0 for all, or more", f.limit)
	}
	filter = deadletter.Filter{Jobs: f.jobs, Limit: f.limit}
	for _, reason := range f.reasons {
		filter.Reasons = append(filter.Reasons, strings.ToLower(reason))
	}
	if filter.Since, err = parseWhen("since", f.since, now); err != nil {
		return filter, err
	}
	if filter.Until, err = parseWhen("until", f.until, now); err != nil {
		return filter, err
	}
	if f.match == "" {
		return filter, nil
	}
	if filter.Match, err = regexp.Compile(f.match); err != nil {
		return filter, usagef("--match: %w", err)
	}
	return filter, nil
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
