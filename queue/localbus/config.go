package localbus

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

// Config describes a server. The zero value is a namespace without queues that
// accepts the official emulator's key.
type Config struct {
	Queues       []Queue       // the queues at the start; nil: none
	Rules        []Rule        // shared access rules; nil: RootManageSharedAccessKey with key SAS_KEY_VALUE and all rights
	OpenAccess   bool          // links and the management API need no token, and the SASL layer may be left out
	TLS          *tls.Config   // certificates for Serve, see Authority; nil: no TLS
	Clock        Clock         // time of messages, locks and tokens; nil: the wall clock
	Random       io.Reader     // source of lock tokens and message ids; nil: crypto/rand
	Faults       Faults        // zero: none
	Log          *slog.Logger  // nil: nothing is logged
	MaxFrameSize uint32        // bytes of a frame that we take, 512 to 1,048,576; zero: 65,536
	IdleTimeout  time.Duration // silence that we tell peers to stay below; a connection ends after twice that; zero: 4 min
	LinkIdle     time.Duration // a link unused for so long is detached, 10 min at the real service; zero: never

	// ConnectionIdle is how long a connection may be without links before it
	// is closed, 1 to 5 min at the real service; zero: for ever.
	ConnectionIdle time.Duration
}

// Queue is a queue with its properties.
type Queue struct {
	Name string
	QueueProperties
}

type (
	// QueueProperties configure a queue. The zero value has the defaults of
	// Service Bus.
	QueueProperties = broker.Properties

	// Clock tells the time and calls back.
	Clock = broker.Clock

	// Timer is one pending call of a Clock.
	Timer = broker.Timer
)

// complete fills in the defaults and reports what is out of range.
func (c *Config) complete() error {
	if c.Rules == nil {
		c.Rules = defaultRules()
	}
	if c.Clock == nil {
		c.Clock = broker.WallClock{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxFrameSize == 0 {
		c.MaxFrameSize = 64 << 10
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 4 * time.Minute
	}
	var errs []error
	if c.MaxFrameSize < 512 || c.MaxFrameSize > 1<<20 {
		errs = append(errs, fmt.Errorf("max frame size %d: must be 512 to 1,048,576 bytes", c.MaxFrameSize))
	}
	if c.IdleTimeout < 0 || c.LinkIdle < 0 || c.ConnectionIdle < 0 {
		errs = append(errs, errors.New("idle times must not be negative"))
	}
	for i, r := range c.Rules {
		if r.Name == "" || r.Key == "" || r.Rights&token.All == 0 {
			errs = append(errs, fmt.Errorf("rule %d (%q): name, key and rights are needed", i, r.Name))
		}
	}
	return errors.Join(errs...)
}
