// Package token judges the two kinds of token that Service Bus clients send:
// shared access signatures, which the holder of a rule's key makes up itself,
// and JSON Web Tokens (RFC 7519) of an identity provider.
//
// What it is. A Checker turns a token and the address that it is meant for into
// a Grant: rights, a scope and an end. It keeps no state.
//
// Guarantees. A signature that was not made with a key of one of the rules
// grants nothing; neither does a token whose time is over, nor one that was made
// for another entity. There is no identity provider here: a JSON Web Token is
// taken at its word, unless Checker.JWTKey is set.
//
// Errors. Every error is an *Error. Nothing panics on data.
//
// Concurrency. A Checker may be used from any goroutine as long as nobody
// writes to it.
package token

import (
	"fmt"
	"strings"
	"time"
)

// Rights are what a rule or a token allows; they combine with |.
type Rights uint8

// The rights. Manage is for the management API and includes the others.
const (
	Send Rights = 1 << iota
	Listen
	Manage
)

// All are all the rights there are.
const All = Send | Listen | Manage

// Rule is a shared access rule.
type Rule struct {
	Name   string // compared exactly
	Key    string // used as it stands, not decoded
	Rights Rights
	Scope  string // path of the queue that the rule is for; "": the whole namespace
}

// Grant is what a token is worth.
type Grant struct {
	Rights  Rights
	Expires time.Time // zero: never
}

// Checker judges tokens. The zero value knows no rule: it refuses every shared
// access signature and takes every JSON Web Token that has not expired.
type Checker struct {
	Rules  []Rule
	Lookup func(name string) []Rule // more rules of a name, such as those of queues; nil: none
	JWTKey []byte                   // key of HMAC-SHA256 that JSON Web Tokens must be signed with; nil: their signatures are not looked at
	Now    func() time.Time         // nil: time.Now
}

// maxToken is the greatest length of a token in bytes.
const maxToken = 32 << 10

// Check judges a token that is presented for an address such as
// amqps://localhost/jobs. A token that begins with "SharedAccessSignature " is
// one; all else has to be a JSON Web Token.
func (c *Checker) Check(token, address string) (Grant, error) {
	if len(token) > maxToken {
		return Grant{}, malformed("longer than %d bytes", maxToken)
	}
	g, err := c.read(strings.TrimSpace(token), address)
	if err != nil {
		return Grant{}, err
	}
	if !g.Expires.IsZero() && !c.now().Before(g.Expires) {
		const layout = "01/02/2006 15:04:05"
		return Grant{}, &Error{Expired, fmt.Sprintf("The token is expired. Expiration time: '%s'.", g.Expires.UTC().Format(layout))}
	}
	return g, nil
}

func (c *Checker) read(token, address string) (Grant, error) {
	const scheme = "SharedAccessSignature "
	if len(token) >= len(scheme) && strings.EqualFold(token[:len(scheme)], scheme) {
		return c.readSAS(token[len(scheme):], address)
	}
	if fields := strings.Fields(token); len(fields) == 2 && strings.EqualFold(fields[0], "Bearer") {
		token = fields[1]
	}
	return c.readJWT(token)
}

func (c *Checker) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// Reason classifies an Error.
type Reason string

// The reasons, as the service spells them.
const (
	Malformed        Reason = "MalformedToken"
	Expired          Reason = "ExpiredToken"
	InvalidSignature Reason = "InvalidSignature"
	InvalidAudience  Reason = "InvalidAudience"
)

// Error says why a token is worth nothing.
type Error struct {
	Reason Reason
	Detail string // a sentence; holds nothing of the token but its times and names
}

// Error returns the reason and the detail, in the manner of the service:
// clients look for its texts.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Detail }

func malformed(format string, args ...any) *Error {
	return &Error{Malformed, "The token is malformed: " + fmt.Sprintf(format, args...) + "."}
}
