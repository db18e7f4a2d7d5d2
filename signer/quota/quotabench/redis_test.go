package quotabench

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

// The way to the store: median and sigma of a lognormal distribution.
const (
	storeWay      = 3 * time.Millisecond
	storeWaySigma = 0.5
)

// newStore opens a store in memory, which is down during the fleet's outage.
func newStore(t *testing.T, f *fleet, seed uint64) *redistest.Store {
	random := newChance(seed, 3000)
	store := redistest.New(t, func() time.Duration { return random.lognormal(storeWay, storeWaySigma) })
	if f.outage[1] > 0 {
		time.AfterFunc(time.Until(f.start.Add(f.outage[0])), func() { store.SetDown(true) })
		time.AfterFunc(time.Until(f.start.Add(f.outage[1])), func() { store.SetDown(false) })
	}
	return store
}

func (c *chance) lognormal(median time.Duration, sigma float64) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(float64(median) * math.Exp(sigma*c.source.NormFloat64()))
}

// gateRedis is signmill's gate with slots from the production script and
// client, on a store in memory. A replica that crashes says nothing to it.
func gateRedis() contestant {
	return gate("redis", func(ctx context.Context, s seat) quota.Share {
		store, name := s.store(), fmt.Sprint(s.replica)
		share, err := redisshare.New(redisshare.Config{
			URL: "redis://store", Vault: "bench", Dial: store.Dialer(name),
			Quota: quota.Units(s.planned), Guard: guard(s.keys),
		})
		if err != nil {
			s.t.Error(err)
			return nil
		}
		if s.fleet.stints[s.replica].crashes {
			context.AfterFunc(ctx, func() { store.Sever(name) })
		}
		return closing{share}
	})
}

// closing closes the connections of a share when it is done.
type closing struct{ *redisshare.Share }

// Run implements quota.Share.
func (c closing) Run(ctx context.Context, tell func(quota.Part)) error {
	defer c.Close()
	return c.Share.Run(ctx, tell)
}
