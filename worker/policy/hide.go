package policy

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"
)

// HideClaims returns the application properties of a message as they may be
// shown to people or written to a file: where a claim or another JWT in compact
// form stands, there is only whose it says it is, who issued it and when it
// expires, as one text or as one JSON object. The properties stay as they are.
func HideClaims(properties map[string]any) map[string]any {
	shown := maps.Clone(properties)
	for name, value := range shown {
		text := textOf(value)
		if token := findJWT(text); token != "" {
			shown[name] = hide(token)
		} else if strings.EqualFold(name, ClaimProperty) {
			shown[name] = hide(text)
		}
	}
	return shown
}

// textOf is a property as text; "" for what has none.
func textOf(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case []byte:
		return string(value)
	}
	return ""
}

// compact finds what may be a JWT: three parts in base64url, of which the first
// begins with a brace.
var compact = regexp.MustCompile(`\be[w-z0-9_-][\w-]+\.[\w-]+\.[\w-]*`)

// findJWT returns the first JWT in a text, or "".
func findJWT(text string) string {
	for _, found := range compact.FindAllString(text, -1) {
		header, _, _ := strings.Cut(found, ".")
		if raw, err := base64.RawURLEncoding.DecodeString(header); err == nil && json.Valid(raw) {
			return found
		}
	}
	return ""
}

// hidden stands where a JWT was. Nobody has verified what it says.
type hidden struct {
	Hidden  bool   `json:"hidden"`            // true
	Subject string `json:"subject,omitempty"` // cut, as are all texts of others
	Issuer  string `json:"issuer,omitempty"`
	Expires string `json:"expires,omitempty"` // RFC 3339
	Size    int    `json:"size"`              // in bytes
}

// hide keeps what tells whose a claim is. Of one that cannot be read, by its
// form or its algorithm, that is nothing.
func hide(token string) hidden {
	h := hidden{Hidden: true, Size: len(token)}
	c, refusal := parseClaim(token)
	if refusal != nil {
		return h
	}
	h.Subject, h.Issuer = brief(c.said.Subject), brief(c.said.Issuer)
	if c.said.Expiry != nil {
		h.Expires = c.said.Expiry.Time().UTC().Format(time.RFC3339)
	}
	return h
}

// String is what people read, as in: (JWT of "billing", issuer "i", expires
// 2030-01-02T03:04:05Z, not verified, not shown).
func (h hidden) String() string {
	if h.Subject == "" && h.Issuer == "" && h.Expires == "" {
		return fmt.Sprintf("(%d bytes of which nothing can be read, not shown)", h.Size)
	}
	expires := "never"
	if h.Expires != "" {
		expires = h.Expires
	}
	return fmt.Sprintf("(JWT of %s, issuer %s, expires %s, not verified, not shown)", quoted(h.Subject), quoted(h.Issuer), expires)
}
