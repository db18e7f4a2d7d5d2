package redisshare_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

// fifty is a fleet whose record grants.
func fifty(b *testing.B) (ask func(turn int) error, spent func() (microseconds, calls float64)) {
	process := redistest.StartProcess(b, "redis-server")
	if process == nil {
		b.Skip("redis-server is not on PATH")
	}
	direct := redis.NewClient(&redis.Options{Addr: process.Addr()})
	b.Cleanup(func() { _ = direct.Close() })
	var all []*redisshare.Share
	for range 50 {
		share, err := redisshare.New(redisshare.Config{URL: "redis://" + process.Addr(), Vault: "benchmark", Quota: 4e7, Timeout: 5 * time.Second})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = share.Close() })
		all = append(all, share)
	}
	want := slices.Repeat([]quota.Units{2}, 20)
	done := slices.Repeat([]quota.Done{{Result: quota.Result{Outcome: quota.Accepted}, Cost: 2, Age: 90 * time.Millisecond}}, 2)
	ask = func(turn int) error {
		_, err := all[turn%len(all)].Ask(b.Context(), want, done)
		return err
	}
	for silent := true; silent; { // a fresh record
		g, err := all[0].Ask(b.Context(), want, nil)
		if err != nil {
			b.Fatal(err)
		}
		silent = g.Units == 0
		after(g.Again)
	}
	return ask, func() (microseconds, calls float64) { return statistics(b, direct) }
}

// statistics returns the time that a store has spent on scripts.
func statistics(b *testing.B, c *redis.Client) (microseconds, calls float64) {
	text, err := c.Info(context.Background(), "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if _, err := fmt.Sscanf(line, "cmdstat_evalsha:calls=%f,usec=%f", &calls, &microseconds); err == nil {
			break
		}
	}
	return microseconds, calls
}

// BenchmarkAsk is one question of fifty busy replicas in turn, to a real store
// and back. What the store spends on it is in µs/script.
func BenchmarkAsk(b *testing.B) {
	ask, spent := fifty(b)
	before, calls := spent()
	turn := 0
	for b.Loop() {
		turn++
		if err := ask(turn); err != nil {
			b.Fatal(err)
		}
	}
	after, more := spent()
	b.ReportMetric((after-before)/(more-calls), "µs/script")
}

// BenchmarkFleet is fifty replicas that ask at once. They need 200 questions
// per second.
func BenchmarkFleet(b *testing.B) {
	ask, _ := fifty(b)
	var next atomic.Int64
	b.SetParallelism(25)
	b.RunParallel(func(pb *testing.PB) {
		turn := int(next.Add(1))
		for pb.Next() {
			if err := ask(turn); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "asks/s")
}
