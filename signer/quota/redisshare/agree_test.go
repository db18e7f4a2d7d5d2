package redisshare

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

// TestRealAgrees asks a real store and the one in memory the same questions at
// the same times: what the tests in virtual time show is true of both.
func TestRealAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	t.Parallel()
	process := redistest.StartProcess(t, "redis-server")
	if process == nil {
		t.Skip("redis-server is not on PATH")
	}
	memory := redis.NewClient(&redis.Options{Addr: "store", Protocol: 2, Dialer: redistest.New(t, nil).Dialer("")})
	defer memory.Close()
	actual := redis.NewClient(&redis.Options{Addr: process.Addr(), Protocol: 2})
	defer actual.Close()
	keys := []string{"{agree}", "{agree}:seen", "{agree}:sends", "{agree}:accepts"}

	timed := redis.NewScript(strings.Replace(source, `redis.call("TIME")`, "{ ARGV[2], ARGV[3] }", 1))
	d := drive{random: rand.New(rand.NewPCG(3, 4)), now: 1_790_000_000_000_000}
	refusals, probes := 0, 0
	for range 3000 {
		q := d.next()
		sec, usec := fmt.Sprint(d.now/1e6), fmt.Sprint(d.now%1e6)
		want, err := timed.Run(t.Context(), memory, keys, q, sec, usec).StringSlice()
		if err != nil {
			t.Fatal(err)
		}
		got, err := timed.Run(t.Context(), actual, keys, q, sec, usec).StringSlice()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("to %s the real store says\n%q, the one in memory\n%q", q, got, want)
		}
		if d.last, err = read(got); err != nil {
			t.Fatal(err)
		}
		if d.last.grant.Probe {
			probes++
		}
		if d.last.grant.Units == 0 {
			refusals++
		}
	}
	if refusals < 100 || probes < 5 {
		t.Errorf("%d refusals and %d probes are too few to tell", refusals, probes)
	}
}

// drive makes up questions.
type drive struct {
	random *rand.Rand
	now    int64 // µs
	asked  int64 // µs: the last question
	last   answer
	bad    float64 // part of the calls that is refused
}

func (d *drive) next() string {
	d.now += d.random.Int64N(300_000)
	if d.random.IntN(100) == 0 {
		d.bad = []float64{0, 0.01, 0.5, 1}[d.random.IntN(4)]
	}
	if d.random.IntN(1000) == 0 {
		d.now += d.random.Int64N(40e6) - 10e6 // the clock jumps, or nobody asks
	}
	q := question{
		Op: "ask", Who: fmt.Sprint(d.random.IntN(5)), Full: 400, Guard: 0.99, Window: 10, Seed: 7,
		Record: d.last.record, Epoch: d.last.epoch, Scale: d.last.scale, Done: []done{},
	}
	if d.random.IntN(200) == 0 {
		q.Frozen = 5
	}
	for range d.random.IntN(8) {
		outcome := quota.Accepted
		if d.random.Float64() < d.bad {
			outcome = quota.Throttled
		}
		age := float64(d.random.IntN(200_000)) / 1e6
		q.Done = append(q.Done, done{float64(outcome), float64(1 + d.random.IntN(3)), age, float64(d.last.epoch), 0})
	}
	if d.last.grant.Probe {
		outcome := float64(quota.Throttled)
		if d.random.IntN(4) == 0 {
			outcome = float64(quota.Accepted)
		}
		q.Done = append(q.Done, done{outcome, 2, float64(d.now-d.asked) / 1e6, float64(d.last.epoch), 0})
	}
	d.asked = d.now
	for range 1 + d.random.IntN(50) {
		q.Want = append(q.Want, quota.Units(1+d.random.IntN(3)))
	}
	text, _ := json.Marshal(q)
	return string(text)
}
