package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// header is the first part of a JSON Web Token (RFC 7515, section 4).
type header struct {
	Algorithm string `json:"alg"`
}

// payload holds the claims that matter here.
type payload struct {
	Expires   *float64 `json:"exp"` // RFC 7519, section 4.1.4; missing: never
	NotBefore *float64 `json:"nbf"` // RFC 7519, section 4.1.5
	Roles     []string `json:"roles"`
	Rights    []string `json:"rights"`
}

// readJWT judges a JSON Web Token. It grants all rights, unless it has a claim
// "roles" or "rights": a list of "Send", "Listen" and "Manage". A role whose
// name ends in "Data Sender", "Data Receiver" or "Data Owner" counts as the
// built-in role of that name. Other entries grant nothing.
func (c *Checker) readJWT(text string) (Grant, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return Grant{}, malformed("neither a shared access signature nor a JSON Web Token")
	}
	var h header
	var p payload
	if err := decodePart(parts[0], &h); err != nil || h.Algorithm == "" {
		return Grant{}, malformed("the header of the JSON Web Token cannot be read")
	}
	if err := decodePart(parts[1], &p); err != nil {
		return Grant{}, malformed("the claims of the JSON Web Token cannot be read")
	}
	if c.JWTKey != nil && !c.signed(h, parts) {
		return Grant{}, &Error{InvalidSignature, "The token has an invalid signature."}
	}
	return c.grantOf(p)
}

func (c *Checker) grantOf(p payload) (Grant, error) {
	g := Grant{Rights: p.rights()}
	var ok bool
	if p.Expires != nil {
		if g.Expires, ok = moment(*p.Expires); !ok {
			return Grant{}, malformed("claim exp is no time in Unix seconds")
		}
	}
	if p.NotBefore != nil {
		start, ok := moment(*p.NotBefore)
		if !ok || c.now().Add(skew).Before(start) {
			return Grant{}, malformed("its time has not come yet")
		}
	}
	return g, nil
}

// skew is how far the issuer's clock may be ahead of ours.
const skew = 5 * time.Minute

func moment(seconds float64) (time.Time, bool) {
	if !(seconds >= 0 && seconds <= maxSeconds) {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// signed reports whether the token carries a valid HMAC-SHA256 of our key.
func (c *Checker) signed(h header, parts []string) bool {
	sum, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || h.Algorithm != "HS256" {
		return false
	}
	mac := hmac.New(sha256.New, c.JWTKey)
	mac.Write([]byte(parts[0] + "." + parts[1]))
	return hmac.Equal(sum, mac.Sum(nil))
}

func (p payload) rights() Rights {
	if p.Roles == nil && p.Rights == nil {
		return All
	}
	var r Rights
	for _, name := range append(p.Roles, p.Rights...) {
		r |= rightsNamed(strings.ToLower(name))
	}
	return r
}

func rightsNamed(name string) Rights {
	switch {
	case name == "send" || strings.HasSuffix(name, "data sender"):
		return Send
	case name == "listen" || strings.HasSuffix(name, "data receiver"):
		return Listen
	case name == "manage" || strings.HasSuffix(name, "data owner"):
		return All
	}
	return 0
}

func decodePart(part string, into any) error {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}
