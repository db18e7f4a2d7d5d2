package main

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/spf13/pflag"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
)

// budgetFlags say what the vault allows, and which part of it is this
// replica's. The zero value paces nothing.
type budgetFlags struct {
	units int    // in 10 s, for all replicas; 0: calls are not paced
	share string // static:N, dns:NAME, dns:NAME,AGE or the URL of a store; "": static:1

	identity azcore.TokenCredential // opens a store in Azure that has no password; nil: nothing does
}

func (b *budgetFlags) add(f *pflag.FlagSet) {
	f.IntVar(&b.units, "quota", int(quota.KeyUnits), "what the vault allows all replicas in 10 s, in `UNITS` of one RSA-2048 or EC operation with a software key; 0 does not pace")
	f.StringVar(&b.share, "share", "static:1", "this replica's `PART` of the quota: static:N, one of N replicas; dns:NAME[,AGE], one of the addresses of a headless service; rediss://HOST:PORT, what a Redis or Valkey grants, whose password is "+redisPassword+", or in Azure the identity's token")
}

// joining is how long a replica that joins sends nothing.
func (b budgetFlags) joining() time.Duration {
	rest, counts := strings.CutPrefix(b.share, "dns:")
	if b.units == 0 || !counts {
		return 0
	}
	dns, _ := parseDNS(rest, nil) // gate refuses a wrong one
	if dns.Age == 0 {
		dns.Age = 30 * time.Second
	}
	return dns.Age + dns.Age/2
}

// redisPassword is the variable with the password of the store.
const redisPassword = envPrefix + "REDIS_PASSWORD"

func (b budgetFlags) parseShare(vault string, log *slog.Logger) (quota.Share, error) {
	kind, rest, _ := strings.Cut(b.share, ":")
	switch {
	case b.share == "":
		return quota.Static{}, nil
	case kind == "static":
		if n, err := strconv.Atoi(rest); err == nil && n > 0 {
			return quota.Static{Replicas: n}, nil
		}
	case kind == "dns":
		if share, ok := parseDNS(rest, log); ok {
			return share, nil
		}
	case strings.HasPrefix(rest, "//"):
		return b.redis(vault, log)
	}
	return nil, usagef("--share %q: use static:N, dns:NAME, dns:NAME,AGE, such as dns:signmill.default.svc.cluster.local,30s, or the URL of a Redis or Valkey", b.share)
}

// parseDNS reads NAME or NAME,AGE.
func parseDNS(text string, log *slog.Logger) (share quota.DNS, ok bool) {
	name, age, aged := strings.Cut(text, ",")
	share = quota.DNS{Name: name, Log: log}
	var err error
	if aged {
		share.Age, err = time.ParseDuration(age)
	}
	return share, name != "" && err == nil && (!aged || share.Age > 0)
}

// redis is the share that a store grants. The record bears the vault's host,
// so that the replicas of all deployments that use the vault share its quota.
func (b budgetFlags) redis(vault string, log *slog.Logger) (quota.Share, error) {
	u, err := url.Parse(vault)
	if err != nil {
		return nil, usageError(err)
	}
	c := redisshare.Config{URL: b.share, Vault: u.Host, Quota: quota.Units(b.units), Log: log}
	if os.Getenv(redisPassword) != "" {
		c.PasswordEnv = redisPassword
	}
	c.Login = b.login()
	share, err := redisshare.New(c)
	if err != nil {
		return nil, usageError(err)
	}
	return closing{share}, nil
}

// login is what logs in to the store without a password; nil: nothing does.
func (b budgetFlags) login() func(context.Context) (user, password string, err error) {
	if os.Getenv(redisPassword) != "" {
		return nil
	}
	return storeLogin(b.share, b.identity)
}

// closing is a share that closes its connections at its end.
type closing struct{ *redisshare.Share }

// Run implements [quota.Share].
func (c closing) Run(ctx context.Context, tell func(quota.Part)) error {
	defer c.Close() //nolint:errcheck // nothing is left that could be lost
	return c.Share.Run(ctx, tell)
}
