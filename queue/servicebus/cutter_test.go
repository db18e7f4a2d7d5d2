package servicebus

import (
	"context"
	"net"
	"sync"
)

type dialFunc func(ctx context.Context, host string) (net.Conn, error)

// cutter is a dialer whose connections can be cut.
type cutter struct {
	under dialFunc

	mu     sync.Mutex // guards the fields below
	open   []net.Conn
	dialed int
	refuse bool
}

func (c *cutter) dial(ctx context.Context, host string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialed++
	if c.refuse {
		return nil, net.ErrClosed
	}
	conn, err := c.under(ctx, host)
	if err == nil {
		c.open = append(c.open, conn)
	}
	return conn, err
}

// cut closes every connection, as a reset does: nobody says goodbye.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		conn.Close()
	}
	c.open = nil
}

// down cuts every connection and refuses new ones until up is called.
func (c *cutter) down() {
	c.setRefuse(true)
	c.cut()
}

func (c *cutter) up() { c.setRefuse(false) }

func (c *cutter) setRefuse(refuse bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = refuse
}

// dials returns how many connections were asked for.
func (c *cutter) dials() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dialed
}
