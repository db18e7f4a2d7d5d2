package keyvault

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Greeting is what a vault says to somebody without a token.
type Greeting struct {
	Date   time.Time // the vault's clock, to the second; zero when it did not say
	Scope  string    // for which a token is to be had; "" when it asks for none
	Tenant string    // that gives the token; "" when it asks for none
}

// Greet asks the vault with the base URL url one question without a token, as
// the SDK does before its first call, and reads its challenge and its clock.
// No token is sent, nothing is repeated, and ctx bounds the wait. The error is
// a [*signer.Error] that says what to do: CodeForbidden for a URL that is no
// vault's, CodeUnavailable when nothing answers.
func (c *Client) Greet(ctx context.Context, url string) (Greeting, error) {
	at, err := c.gate.address(url)
	if err != nil {
		return Greeting{}, &signer.Error{Code: schema.CodeForbidden, Message: err.Error()}
	}
	t := task{keeping: &keeping{what: "greet"}, id: keyID{vault: at}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String()+"/keys?api-version=7.4&maxresults=1", http.NoBody)
	if err != nil {
		return Greeting{}, t.unanswered(err)
	}
	resp, err := c.wire.Do(req)
	if err != nil {
		return Greeting{}, t.unanswered(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusInternalServerError {
		return Greeting{}, t.unanswered(fmt.Errorf("the vault answered %d", resp.StatusCode))
	}
	return readGreeting(resp.Header), nil
}

// readGreeting takes a challenge apart as the SDK does: a scope, else a
// resource; the tenant is the first part of the authority's path.
func readGreeting(h http.Header) Greeting {
	var g Greeting
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		g.Date = date
	}
	parameters := map[string]string{}
	for part := range strings.FieldsFuncSeq(strings.TrimPrefix(h.Get("WWW-Authenticate"), "Bearer "), func(r rune) bool { return r == ' ' || r == ',' }) {
		name, value, _ := strings.Cut(part, "=")
		parameters[name] = clip(strings.Trim(value, `"`), 300)
	}
	g.Scope = parameters["scope"]
	if g.Scope == "" {
		g.Scope = parameters["resource"]
	}
	if g.Scope != "" && !strings.HasSuffix(g.Scope, "/.default") {
		g.Scope += "/.default"
	}
	if parts := strings.Split(parameters["authorization"], "/"); len(parts) > 3 {
		g.Tenant = parts[3]
	}
	return g
}
