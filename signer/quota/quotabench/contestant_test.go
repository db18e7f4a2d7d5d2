package quotabench

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

// contestant is a way to keep the calls of a replica within the quota.
type contestant struct {
	name    string
	workers int // of a replica and vault; each does one job after another
	open    func(ctx context.Context, s seat) job
}

// job makes one signature, with as many calls as that takes. It returns nil,
// the last refusal when it gives up, or the error of ctx.
type job func(ctx context.Context, k Key) error

// seat is what a contestant has in one replica for one vault.
type seat struct {
	t       testing.TB
	link    *Link
	replica int
	planned float64 // units per Window that the vault is configured with
	keys    mix
	fleet   *fleet // what a replica may learn of the others
	store   func() *redistest.Store
	random  *chance
	seed    uint64
}

// chance is a source that the workers of a seat share.
type chance struct {
	mu     sync.Mutex // guards source
	source *rand.Rand
}

func newChance(seed, stream uint64) *chance {
	return &chance{source: rand.New(rand.NewPCG(seed, stream))}
}

// between draws a time.
func (c *chance) between(lo, hi time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return lo + time.Duration(c.source.Int64N(int64(hi-lo)))
}

// key draws the key of the next job.
func (c *chance) key(keys mix) Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	return keys.draw(c.source)
}

// contestants lists all, in the order of the tables.
func contestants() []contestant {
	return []contestant{
		gateStatic(), gateDNS(), gateRedis(), gateClient(),
		sdkDefault(32), sdkDefault(8), vendorBackoff(), staticSplit(),
		awsAdaptive(), failsafeLimiter(), failsafeThrottler(),
	}
}

// refused reports whether err is a 429, of a bare call or of the SDK.
func refused(err error) bool {
	if _, ok := errors.AsType[*Throttled](err); ok {
		return true
	}
	answer, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && answer.StatusCode == http.StatusTooManyRequests
}
