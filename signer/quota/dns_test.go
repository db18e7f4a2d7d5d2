package quota

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestDNS follows a service for a minute: what is told, and when.
func TestDNS(t *testing.T) {
	t.Parallel()
	addresses := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("10.0.0.%d", i), fmt.Sprintf("fd00::%d", i))
		}
		return list
	}
	gone := errors.New("no such host")
	for name, c := range map[string]struct {
		lookup func(second int) ([]string, error)
		want   []string
	}{
		"both families count once":    {func(int) ([]string, error) { return addresses(3), nil }, []string{"15s 3"}},
		"an address that comes twice": {func(int) ([]string, error) { return []string{"10.0.0.1", "10.0.0.1"}, nil }, []string{"15s 1"}},
		"none is one":                 {func(int) ([]string, error) { return nil, nil }, []string{"15s 1"}},
		"more, then fewer": {func(s int) ([]string, error) {
			switch {
			case s < 30:
				return addresses(10), nil
			case s < 50:
				return addresses(50), nil
			}
			return addresses(3), nil
		}, []string{"15s 10", "31s 50", "51s 3"}},
		"a failure keeps the count": {func(s int) ([]string, error) {
			if s > 20 {
				return nil, gone
			}
			return addresses(10), nil
		}, []string{"15s 10"}},
		"no count, nothing sent": {func(s int) ([]string, error) {
			if s < 40 {
				return nil, gone
			}
			return addresses(2), nil
		}, []string{"41s 2"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			d := DNS{Name: "signmill", Age: 10 * time.Second, Lookup: func(context.Context, string) ([]string, error) {
				return c.lookup(int(time.Since(start).Seconds()))
			}}
			var got []string
			err := d.Run(ctx, func(p Part) { got = append(got, fmt.Sprint(time.Since(start), " ", p.Replicas)) })
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s: got %q and %v, want %q", name, got, err, c.want)
			}
		})
	}
}

// TestDNSHangs checks that a resolver that never answers does not stop the
// counting, nor the end of it.
func TestDNSHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		calls := 0
		d := DNS{Name: "signmill", Age: 5 * time.Second, Lookup: func(ctx context.Context, _ string) ([]string, error) {
			calls++
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		if err := d.Run(ctx, func(Part) { t.Error("told a count that nobody knows") }); err != nil || calls < 9 {
			t.Errorf("got %v after %d lookups", err, calls)
		}
	})
}
