package redisshare

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// mostConns of a replica: a question, a report, and one that is being replaced.
const mostConns = 4

// newClient returns a client that has not connected yet.
func newClient(c Config) (redis.UniversalClient, error) {
	o, err := options(c)
	if err != nil {
		return nil, err
	}
	quiet.Do(func() { redis.SetLogger(silence{}) })
	return redis.NewUniversalClient(o), nil
}

// quiet is done before there is a client that could log. The client's log is one
// for the whole process, has lines of its own form on standard error, and says
// what its errors say.
var quiet sync.Once

type silence struct{}

// Printf drops a line of the client's log.
func (silence) Printf(context.Context, string, ...any) {}

// options has nothing tried twice: a script that ran twice would count results
// twice.
func options(c Config) (*redis.UniversalOptions, error) {
	o, err := parse(c.URL)
	if err != nil {
		return nil, err
	}
	if o.TLSConfig != nil && c.TLS != nil {
		o.TLSConfig = c.TLS.Clone()
	}
	if o.Dialer = c.Dial; o.Dialer == nil && o.IsClusterMode && o.TLSConfig != nil {
		o.Dialer = nodes(o)
	}
	o.CredentialsProviderContext = c.credentials(o.Username)
	if c.Login != nil {
		o.ConnMaxLifetime = loginLife
	}
	o.Protocol, o.DisableIdentity = 2, true
	o.MaxRetries, o.DialerRetries = -1, 1
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = c.Timeout, c.Timeout, c.Timeout, c.Timeout
	o.ContextTimeoutEnabled = true
	o.PoolSize, o.PipelinePoolSize = mostConns, -1
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o, nil
}

// nodes returns a dialer for the nodes of a cluster. Where it names them by their
// addresses, as Azure's do, they have the certificate of the name in the URL.
func nodes(o *redis.UniversalOptions) func(context.Context, string, string) (net.Conn, error) {
	cluster, _, _ := net.SplitHostPort(o.Addrs[0])
	return func(ctx context.Context, network, at string) (net.Conn, error) {
		c := o.TLSConfig.Clone()
		if host, _, err := net.SplitHostPort(at); err == nil && c.ServerName == "" {
			c.ServerName = host
			if net.ParseIP(host) != nil {
				c.ServerName = cluster
			}
		}
		d := tls.Dialer{NetDialer: &net.Dialer{Timeout: o.DialTimeout}, Config: c}
		return d.DialContext(ctx, network, at)
	}
}

// parse reads a URL. No error quotes it: somebody may have put a password there.
func parse(text string) (*redis.UniversalOptions, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, errors.New("the URL of the store is none")
	}
	o := &redis.UniversalOptions{Addrs: []string{address(u)}}
	if u.User != nil {
		if _, has := u.User.Password(); has {
			return nil, errors.New("the URL of the store has a password; use PasswordEnv or PasswordFile")
		}
		o.Username = u.User.Username()
	}
	if err := kind(o, u); err != nil {
		return nil, err
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if o.DB, err = strconv.Atoi(db); err != nil || o.DB < 0 || o.IsClusterMode && o.DB > 0 {
			return nil, errors.New("the path of the store's URL is no database that it may have")
		}
	}
	return o, nil
}

// kind sets what the scheme and the query say.
func kind(o *redis.UniversalOptions, u *url.URL) error {
	scheme, kind, _ := strings.Cut(u.Scheme, "+")
	switch scheme {
	case "redis":
	case "rediss":
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	default:
		return fmt.Errorf("a store of scheme %q", u.Scheme)
	}
	query := u.Query()
	o.MasterName = query.Get("master")
	o.IsClusterMode = kind == "cluster"
	o.Addrs = append(o.Addrs, query["addr"]...)
	switch {
	case kind != "" && kind != "cluster" && kind != "sentinel":
		return fmt.Errorf("a store of scheme %q", u.Scheme)
	case (kind == "sentinel") != (o.MasterName != ""):
		return errors.New("?master=NAME belongs to a sentinel, and a sentinel needs it")
	case kind == "" && len(o.Addrs) > 1:
		return errors.New("?addr= belongs to a cluster or a sentinel")
	}
	for name := range query {
		if name != "master" && name != "addr" {
			return fmt.Errorf("the store's URL has a parameter %q", name)
		}
	}
	return nil
}

func address(u *url.URL) string {
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "6379")
	}
	return u.Host
}

// loginLife is how long a connection lives that was made with Config.Login.
const loginLife = 4 * time.Minute

// credentials returns what gives user and password to a new connection. The user
// is the one in the URL.
func (c Config) credentials(user string) func(context.Context) (string, string, error) {
	if c.Login != nil {
		return c.Login
	}
	return func(context.Context) (string, string, error) {
		password, err := c.password()
		return user, password, err
	}
}

// password reads the password anew, so that it may change.
func (c Config) password() (string, error) {
	switch {
	case c.PasswordEnv != "":
		password, ok := os.LookupEnv(c.PasswordEnv)
		if !ok {
			return "", fmt.Errorf("the environment has no %s", c.PasswordEnv)
		}
		return password, nil
	case c.PasswordFile != "":
		text, err := os.ReadFile(c.PasswordFile)
		return strings.TrimRight(string(text), "\r\n"), err
	}
	return "", nil
}
