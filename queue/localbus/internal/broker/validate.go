package broker

import (
	"errors"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"
)

// Defaults of Properties.
const (
	defaultLock       = time.Minute
	defaultDeliveries = 10
	defaultWindow     = 10 * time.Minute
	defaultMegabytes  = 1024
	defaultBytes      = 262144
)

// Limits of Properties and names.
const (
	minLock, maxLock           = 5 * time.Second, 5 * time.Minute
	minWindow, maxWindow       = 5 * time.Second, 7 * 24 * time.Hour
	minDeliveries              = 1
	maxDeliveries              = 1<<31 - 1
	minMegabytes, maxMegabytes = 1, 1 << 20
	minBytes, maxBytes         = 1024, 100 << 20
	maxMetadata                = 1024
	maxName                    = 260
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$`)

// checkName returns an error unless name can be that of a queue.
func checkName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("name has %d characters, limit %d", len(name), maxName)
	}
	if !nameForm.MatchString(name) {
		return fmt.Errorf("name %q: want letters, digits, '.', '-', '_' and '/', with a letter or digit at both ends", name)
	}
	return nil
}

// withDefaults fills in what is zero.
func (p Properties) withDefaults() Properties {
	orDefault(&p.LockDuration, defaultLock)
	orDefault(&p.MaxDeliveryCount, defaultDeliveries)
	orDefault(&p.DuplicateDetectionWindow, defaultWindow)
	orDefault(&p.MaxSizeMegabytes, defaultMegabytes)
	orDefault(&p.MaxMessageBytes, defaultBytes)
	return p
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// check returns one error for all faults of p, which has its defaults.
func (p Properties) check(name string) error {
	return errors.Join(
		within("LockDuration", p.LockDuration, minLock, maxLock),
		within("MaxDeliveryCount", p.MaxDeliveryCount, minDeliveries, maxDeliveries),
		within("DuplicateDetectionWindow", p.DuplicateDetectionWindow, minWindow, maxWindow),
		within("MaxSizeMegabytes", p.MaxSizeMegabytes, minMegabytes, maxMegabytes),
		within("MaxMessageBytes", p.MaxMessageBytes, minBytes, maxBytes),
		within("Status", p.Status, Active, ReceiveDisabled),
		within("UserMetadata characters", utf8.RuneCountInString(p.UserMetadata), 0, maxMetadata),
		within("DefaultTimeToLive", p.DefaultTimeToLive, 0, 1<<63-1),
		p.checkForward(name),
	)
}

// within returns an error that says field, limits and value.
func within[T ~int | ~int64](field string, value, low, high T) error {
	if value < low || value > high {
		return fmt.Errorf("%s is %v, want %v to %v", field, value, low, high)
	}
	return nil
}

// checkForward returns an error unless messages and dead letters may go where
// p wants them.
func (p Properties) checkForward(name string) error {
	var errs []error
	if p.ForwardTo != "" && p.RequiresSession {
		errs = append(errs, errors.New("ForwardTo is set, want none on a queue that requires sessions"))
	}
	for _, f := range [...]struct{ field, value string }{
		{"ForwardTo", p.ForwardTo}, {"ForwardDeadLettersTo", p.ForwardDeadLettersTo},
	} {
		if f.value == "" {
			continue
		}
		target := targetName(f.value)
		if err := checkName(target); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.field, err))
		} else if key(target) == key(name) {
			errs = append(errs, fmt.Errorf("%s is %q, want another queue", f.field, f.value))
		}
	}
	return errors.Join(errs...)
}

// unchangeable returns an error when next changes what is fixed at creation.
func unchangeable(old, next Properties) error {
	var errs []error
	for _, f := range [...]struct {
		name      string
		old, next bool
	}{
		{"RequiresSession", old.RequiresSession, next.RequiresSession},
		{"RequiresDuplicateDetection", old.RequiresDuplicateDetect, next.RequiresDuplicateDetect},
	} {
		if f.old != f.next {
			errs = append(errs, fmt.Errorf("%s is %t, want %t: the value of an existing queue cannot be changed", f.name, f.next, f.old))
		}
	}
	return errors.Join(errs...)
}
