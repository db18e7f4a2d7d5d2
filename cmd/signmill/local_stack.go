package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
)

// stack is a broker and a vault in this process. No other file knows the two
// servers.
type stack struct {
	bus       *localbus.Server
	authority *localbus.Authority // of the broker's certificates
	vault     *localvault.Server
	log       *slog.Logger
}

// stackSpec says what a stack holds from the start.
type stackSpec struct {
	Queues []localQueue
	File   string // more queues: a configuration file of the official emulator; "" is none
	Keys   []localKey
	Quota  int  // of the vault, in units for each 10 s; 0: no limit
	HSM    bool // the vault is a Managed HSM
	Log    *slog.Logger
}

// localQueue is a queue of a stack.
type localQueue struct {
	Name       string
	Duplicates bool // detects them
	Sessions   bool // requires them
}

// localKey is a key of a stack, of the type that an algorithm needs.
type localKey struct {
	Name      string
	Algorithm schema.Algorithm
}

// newStack makes both servers with fresh keys. It listens to nothing.
func newStack(spec stackSpec) (*stack, error) {
	s := &stack{log: spec.Log}
	vault := localvault.Config{Log: spec.Log, ManagedHSM: spec.HSM, Quota: localvault.Quota{Units: spec.Quota}}
	for _, k := range spec.Keys {
		key := keySpec(k)
		if spec.HSM {
			key.Type += "-HSM"
		}
		vault.Keys = append(vault.Keys, key)
	}
	bus, err := spec.busConfig()
	if err != nil {
		return nil, err
	}
	if s.authority, err = localbus.NewAuthority(); err != nil {
		return nil, fmt.Errorf("local broker: %w", err)
	}
	bus.TLS = s.authority.ServerConfig()
	if s.vault, err = localvault.New(vault); err != nil {
		return nil, usagef("local vault: %w", err)
	}
	if s.bus, err = localbus.New(bus); err != nil {
		return nil, usagef("local broker: %w", err)
	}
	return s, nil
}

// busConfig joins the queues of the file with those of Queues that it lacks.
func (s stackSpec) busConfig() (localbus.Config, error) {
	c, err := s.readFile()
	if err != nil {
		return c, err
	}
	c.Log = s.Log
	for _, q := range s.Queues {
		if slices.ContainsFunc(c.Queues, func(have localbus.Queue) bool { return strings.EqualFold(have.Name, q.Name) }) {
			continue
		}
		p := localbus.QueueProperties{RequiresDuplicateDetect: q.Duplicates, RequiresSession: q.Sessions}
		if q.Duplicates {
			p.DuplicateDetectionWindow = 2 * time.Hour // longer than a job is put off
		}
		c.Queues = append(c.Queues, localbus.Queue{Name: q.Name, QueueProperties: p})
	}
	return c, nil
}

func (s stackSpec) readFile() (localbus.Config, error) {
	if s.File == "" {
		return localbus.Config{}, nil
	}
	f, err := os.Open(s.File)
	if err != nil {
		return localbus.Config{}, display.Error(err)
	}
	defer f.Close() //nolint:errcheck // only read
	c, warnings, err := localbus.ReadConfig(f)
	for _, w := range warnings {
		s.Log.Warn("configuration file", "file", s.File, "warning", w)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", display.OneLine(s.File), display.Error(err))
	}
	return c, err
}

// keySpec returns the key that an algorithm needs: RSA with 2,048 bits, or EC
// on its curve.
func keySpec(k localKey) localvault.KeySpec {
	switch k.Algorithm.Family() {
	case schema.ECDSA:
		return localvault.KeySpec{Name: k.Name, Type: "EC", Curve: k.Algorithm.Curve()}
	case schema.HMAC:
		return localvault.KeySpec{Name: k.Name, Type: "oct-HSM", Size: 256}
	case schema.AESGCM, schema.AESCBC, schema.AESKW:
		bits, _ := strconv.Atoi(string(k.Algorithm[1:4])) // A256GCM
		return localvault.KeySpec{Name: k.Name, Type: "oct-HSM", Size: bits}
	}
	return localvault.KeySpec{Name: k.Name, Type: "RSA"}
}

// localVaultURL is where a vault is that is reached in memory only.
const localVaultURL = "https://signmill.localhost"

// emulator returns the connection string of a broker on host, in the form of
// the official emulator.
func emulator(host string) string {
	return "Endpoint=sb://" + host + ";SharedAccessKeyName=RootManageSharedAccessKey;" +
		"SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
}

// backend returns the values with which the production code uses the servers
// in memory. The vault takes the URL by which it is asked as its own.
func (s *stack) backend(vaultURL string) backend {
	return backend{
		Bus: servicebus.Config{
			ConnectionString: emulator("localhost"),
			Dial:             func(ctx context.Context, _ string) (net.Conn, error) { return s.bus.Dial(ctx) },
			Log:              s.log,
		},
		Vault: keyvault.Config{
			Credential: anyToken{},
			Transport:  s.vault.RoundTripper(),
			Local:      true,
			Log:        s.log,
		},
		VaultURL: vaultURL,
	}
}

// serve answers on the listeners until ctx ends, or until one of them fails.
// On admin the broker is managed over HTTP, as on bus; clients of the official
// emulator look for that at a port of its own.
func (s *stack) serve(ctx context.Context, bus, admin, vault net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 3) // one result of each, never closed
	go func() { done <- s.bus.Serve(ctx, bus) }()
	go func() { done <- s.bus.Serve(ctx, admin) }()
	go func() { done <- s.vault.Serve(ctx, vault) }()
	first := <-done
	stop()
	return errors.Join(first, <-done, <-done)
}

// certificates returns the authorities that clients of the vault, and of the
// broker inside TLS, must trust, in PEM.
func (s *stack) certificates() []byte { return slices.Concat(s.vault.CA(), s.authority.PEM()) }

// close ends the broker; what it held is gone.
func (s *stack) close() { s.bus.Close() } //nolint:errcheck // it has no cause to fail

// anyToken is a credential for a vault that takes any token.
type anyToken struct{}

// GetToken returns a token that is worth nothing anywhere else.
func (anyToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "local", ExpiresOn: time.Now().Add(24 * time.Hour)}, nil
}
