package keyvault

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// Client does everything that can be done with keys. Make one with [New] and
// share it: its caches and its connections are what keeps calls few.
type Client struct {
	config   Config
	gate     gate
	wire     wire
	own      *http.Transport // nil when the caller gave one
	keys     *cache
	counters counters
	log      *slog.Logger

	mu     sync.Mutex // guards vaults
	vaults map[address]*vault
}

var _ signer.Keys = (*Client)(nil)

// vault is one azkeys client, and the gate that its first call passes alone.
type vault struct {
	*azkeys.Client
	first chan struct{} // holds one token; its holder makes the first call
	open  atomic.Bool   // the vault has answered once

	breaker quota.Breaker                // of all calls to the vault
	trouble atomic.Pointer[signer.Error] // what the last call without an answer met

	mu   sync.Mutex // guards keys
	keys map[keyID]*quota.Breaker
}

// longestBreak is the longest time without a try while there is no answer. It
// is short, because jobs with little time wait for it.
const longestBreak = 4 * time.Second

// breakerOf returns the breaker of one version of a key, made at first use.
// Keys come from a policy, so that there are few.
func (v *vault) breakerOf(id keyID) *quota.Breaker {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keys[id] == nil {
		v.keys[id] = &quota.Breaker{Cap: longestBreak}
	}
	return v.keys[id]
}

// New returns a client, or one error that lists all faults of the
// configuration. It makes no call and starts no goroutine.
func New(config Config) (*Client, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	config = config.filled()
	counters, err := newCounters(config.Meter)
	if err != nil {
		return nil, fmt.Errorf("key vault client: %w", err)
	}
	c := &Client{
		config:   config,
		gate:     gate{domains: config.Domains, local: config.Local},
		wire:     wire{config.Transport, config.Tracer},
		keys:     newCache(config),
		counters: counters,
		log:      config.Log,
		vaults:   map[address]*vault{},
	}
	if config.Transport == nil {
		c.own = newTransport(config.Concurrency)
		c.wire = wire{c.own, config.Tracer}
	}
	return c, nil
}

// Close closes idle connections of the client's own transport. Calls in
// flight go on, and the client stays usable.
func (c *Client) Close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// vault returns the client of one vault, made at first use.
func (c *Client) vault(at address) (*vault, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v := c.vaults[at]; v != nil {
		return v, nil
	}
	credential := c.config.Credential
	if at.scheme == "http" {
		credential = nil // a token never travels in the clear
	} else if credential == nil {
		return nil, fmt.Errorf("%s asks for a token, and the client has no credential", at)
	}
	sdk, err := azkeys.NewClient(at.String(), credential, &azkeys.ClientOptions{
		ClientOptions: azcore.ClientOptions{
			Retry:     policy.RetryOptions{MaxRetries: -1},
			Telemetry: policy.TelemetryOptions{ApplicationID: "signmill"},
			Transport: c.wire,
		},
		DisableChallengeResourceVerification: at.local,
	})
	if err != nil {
		return nil, err
	}
	v := &vault{Client: sdk, first: make(chan struct{}, 1), breaker: quota.Breaker{Cap: longestBreak}, keys: map[keyID]*quota.Breaker{}}
	c.vaults[at] = v
	return v, nil
}

// enter waits while another call is the vault's first, so that the challenge
// is answered and the token fetched once and not by every waiting call. The
// caller must call leave, and say whether the vault has answered.
func (v *vault) enter(ctx context.Context) (leave func(answered bool), err error) {
	if v.open.Load() {
		return func(bool) {}, nil
	}
	select {
	case v.first <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if v.open.Load() {
		<-v.first
		return func(bool) {}, nil
	}
	return func(answered bool) {
		if answered {
			v.open.Store(true)
		}
		<-v.first
	}, nil
}
