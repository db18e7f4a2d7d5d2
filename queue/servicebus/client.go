package servicebus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/cenkalti/backoff/v4"
)

// operationLimit bounds a send, a settlement or a renewal whose context has no
// earlier deadline: without one the client waits for ever for an answer.
const operationLimit = 60 * time.Second

// Client is a connection to one namespace, shared by its receivers and
// senders. It connects when the first of them needs it.
type Client struct {
	config Config // with defaults filled in
	sdk    *azservicebus.Client
	done   chan struct{} // closed by Close
	once   sync.Once     // closes done
}

// New checks c and returns a client that has not connected yet. The error
// lists every fault of c.
func New(c Config) (*Client, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("service bus configuration: %w", err)
	}
	c = c.withDefaults()
	sdk, err := dialer(c)
	if err != nil {
		return nil, fmt.Errorf("service bus configuration: %w", err)
	}
	return &Client{config: c, sdk: sdk, done: make(chan struct{})}, nil
}

func dialer(c Config) (*azservicebus.Client, error) {
	if c.ConnectionString != "" {
		return azservicebus.NewClientFromConnectionString(c.ConnectionString, c.options())
	}
	return azservicebus.NewClient(c.Namespace, c.Credential, c.options())
}

// Receiver returns a receiver on a queue, or on its dead letters when name
// comes from [DeadLetters]. Its links open on first use, so that a queue that
// does not exist is reported by Warm or Receive, not here.
func (c *Client) Receiver(name string) (*Receiver, error) {
	from, err := c.sdk.NewReceiverForQueue(name, nil)
	if err != nil {
		return nil, translate("receive", name, err)
	}
	to, err := newLasting(func() (*azservicebus.Receiver, error) { return c.sdk.NewReceiverForQueue(name, nil) })
	if err != nil {
		return nil, translate("receive", name, err)
	}
	return newReceiver(c, name, from, plain{to}), nil
}

// SessionReceiver locks a session of a queue with sessions and returns a
// receiver on its messages. A session that another receiver holds is an error
// that passes when the other lets go. Its messages are settled on this link
// only: after a lost connection, or after Close, their settlement returns
// queue.ErrLockLost.
func (c *Client) SessionReceiver(ctx context.Context, name, sessionID string) (*Receiver, error) {
	if sessionID == "" {
		return nil, translate("receive", name, errors.New("session id is empty"))
	}
	ctx, cancel := context.WithTimeout(ctx, operationLimit)
	defer cancel()
	link, err := c.accept(ctx, name, sessionID)
	if err != nil {
		return nil, translate("receive", name, err)
	}
	return newReceiver(c, name, link, &session{SessionReceiver: link}), nil
}

// accept locks a session. The client retries everything but this, so that on
// a connection that died unnoticed it fails once.
func (c *Client) accept(ctx context.Context, name, sessionID string) (*azservicebus.SessionReceiver, error) {
	policy := backoff.WithMaxRetries(newBackoff(c.config.Retry.MaxDelay), uint64(c.config.Retry.Attempts))
	return backoff.RetryWithData(func() (*azservicebus.SessionReceiver, error) {
		link, err := c.sdk.AcceptSessionForQueue(ctx, name, sessionID, nil)
		e, ok := errors.AsType[*azservicebus.Error](err)
		if err != nil && (!ok || e.Code != azservicebus.CodeConnectionLost) {
			return nil, backoff.Permanent(err)
		}
		return link, err
	}, backoff.WithContext(policy, ctx))
}

// Sender returns a sender to a queue. The link opens on first use.
func (c *Client) Sender(name string) (*Sender, error) {
	link, err := newLasting(func() (*azservicebus.Sender, error) { return c.sdk.NewSender(name, nil) })
	if err != nil {
		return nil, translate("send", name, err)
	}
	return newSender(name, link), nil
}

// Close ends all links and the connection. Nothing can be settled afterwards.
// A Receive that is under way returns an error.
func (c *Client) Close(ctx context.Context) error {
	c.once.Do(func() { close(c.done) })
	if err := c.sdk.Close(ctx); err != nil {
		return fmt.Errorf("close service bus client: %w", err)
	}
	return nil
}

// closed reports whether Close was called.
func (c *Client) closed() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// DeadLetters returns the name under which the dead letters of a queue are
// received.
func DeadLetters(name string) string {
	return name + "/$DeadLetterQueue"
}
