package localbus

import (
	"fmt"
	"strings"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

// grants are the rights of one connection by path, in lower case. The path of
// the whole namespace is "".
type grants map[string]token.Grant

// allow reports whether a path is covered with at least one of the rights.
func (g grants) allow(path string, rights Rights, now time.Time) bool {
	path = strings.ToLower(path)
	for scope, c := range g {
		covers := scope == "" || path == scope || strings.HasPrefix(path, scope+"/$")
		live := c.Expires.IsZero() || now.Before(c.Expires)
		if covers && live && c.Rights&rights != 0 {
			return true
		}
	}
	return false
}

// grantPlain grants the rights of the rule whose key is given.
func (c *connection) grantPlain(name, key string) bool {
	for _, r := range c.server.config.Rules {
		if r.Name == name && r.Key == key {
			c.addGrant(strings.ToLower(pathOf(r.Scope)), token.Grant{Rights: r.Rights})
			return true
		}
	}
	return false
}

// addGrant notes a right and when to look at the links again.
func (c *connection) addGrant(path string, g token.Grant) {
	if c.grants == nil {
		c.grants = grants{}
	}
	c.grants[path] = g
	if g.Expires.IsZero() {
		return
	}
	if c.expiry == nil || g.Expires.Before(c.expiryAt) {
		c.armExpiry(g.Expires)
	}
}

func (c *connection) armExpiry(at time.Time) {
	if c.expiry != nil {
		c.expiry.Stop()
	}
	c.expiryAt = at
	c.expiry = c.server.config.Clock.AfterFunc(at.Sub(c.now()), func() { c.post(c.expire) })
}

// expire detaches the links whose grant is over.
func (c *connection) expire() {
	now := c.now()
	for path, g := range c.grants {
		if !g.Expires.IsZero() && !now.Before(g.Expires) {
			delete(c.grants, path)
		}
	}
	for _, s := range c.sessions {
		for _, l := range s.links {
			if l.rights != 0 && !c.grants.allow(l.path, l.rights, now) {
				l.detachWith(&amqp.Error{Condition: condUnauthorized, Description: "ExpiredToken: The token is expired."})
			}
		}
	}
	c.expiry = nil
	var next time.Time
	for _, g := range c.grants {
		if !g.Expires.IsZero() && (next.IsZero() || g.Expires.Before(next)) {
			next = g.Expires
		}
	}
	if !next.IsZero() && !c.closing {
		c.armExpiry(next)
	}
}

// authorize reports an error unless the connection has one of the rights on
// the path, and remembers them for the end of the grant.
func (l *link) authorize(path string, rights Rights) error {
	c := l.session.conn
	if c.server.config.OpenAccess {
		return nil
	}
	if !c.grants.allow(path, rights, c.now()) {
		return unauthorized(path, rights)
	}
	l.rights = rights
	return nil
}

func unauthorized(path string, rights Rights) *amqp.Error {
	claim := "Listen"
	if rights&token.Listen == 0 {
		claim = "Send"
	}
	return &amqp.Error{
		Condition:   condUnauthorized,
		Description: fmt.Sprintf("Unauthorized access. '%s' claim(s) are required to perform this operation. Resource: '%s'.", claim, path),
	}
}
