package redisshare

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"time"

	"github.com/signmill/signmill/signer/quota"
)

// Config says where the store is and what the fleet may use. URL and Vault are
// required. Quota, Window and Guard must be those of the gate.
type Config struct {
	// URL of the store: redis://[user@]host:port[/db], or rediss:// with
	// TLS. redis+cluster:// and rediss+cluster:// name a node of a cluster,
	// redis+sentinel:// and rediss+sentinel:// a sentinel, with
	// ?master=NAME. ?addr=host:port adds a node, and may be repeated. A
	// password is refused here.
	URL string

	// Vault names the record; replicas with one name share it. Letters,
	// digits, and any of . _ : -
	Vault string

	// PasswordEnv names the environment variable with the password.
	// PasswordFile names a file with it, whose last line break does not
	// count. Either is read again for each connection. Empty: none.
	PasswordEnv, PasswordFile string

	// Login returns user and password for a new connection, in the place of
	// those above, where they end, as tokens do. They must be good for 5
	// minutes: after 4 each connection is replaced. Before a session it is
	// asked without a bound in time, so that it may fetch then what it returns
	// at once later. nil: there is none.
	Login func(context.Context) (user, password string, err error)

	Quota  quota.Units   // zero: quota.KeyUnits
	Window time.Duration // zero: 10 s
	Guard  float64       // zero: 0.99

	// Timeout bounds each step: to connect, to ask, to report. Zero: 500 ms.
	Timeout time.Duration

	// Ping is the time between signs of life of the subscription. Zero: 1 s.
	Ping time.Duration

	// TLS is for rediss://. nil: the system's roots, TLS 1.2 or later.
	TLS *tls.Config

	// Dial connects to a node. nil: TCP, and TLS for rediss://.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Log gets a line when the store is lost and when it is back. nil:
	// nothing is logged.
	Log *slog.Logger
}

var vaultName = regexp.MustCompile(`^[A-Za-z0-9._:-]+$`)

// faults lists what is wrong with c, but for its URL.
func (c Config) faults() (faults []error) {
	if !vaultName.MatchString(c.Vault) {
		faults = append(faults, fmt.Errorf("a Vault named %q", c.Vault))
	}
	if c.PasswordEnv != "" && c.PasswordFile != "" {
		faults = append(faults, errors.New("both PasswordEnv and PasswordFile"))
	}
	if c.Login != nil && c.PasswordEnv+c.PasswordFile != "" {
		faults = append(faults, errors.New("both a password and Login"))
	}
	if c.Quota < 0 || c.Window < 0 || c.Timeout < 0 || c.Ping < 0 {
		faults = append(faults, errors.New("a negative Quota, Window, Timeout or Ping"))
	}
	if !(c.Guard >= 0 && c.Guard <= 1) {
		faults = append(faults, fmt.Errorf("a Guard of %v is not between 0 and 1", c.Guard))
	}
	return faults
}

// filled returns c with the documented values in place of zeros.
func (c Config) filled() Config {
	orElse(&c.Quota, quota.KeyUnits)
	orElse(&c.Window, 10*time.Second)
	orElse(&c.Guard, 0.99)
	orElse(&c.Timeout, 500*time.Millisecond)
	orElse(&c.Ping, time.Second)
	orElse(&c.Log, slog.New(slog.DiscardHandler))
	return c
}

func orElse[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
