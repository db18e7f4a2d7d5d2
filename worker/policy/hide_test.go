package policy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// TestHideClaims shows the properties of messages whose senders put a claim
// where it belongs, or a token where it does not.
func TestHideClaims(t *testing.T) {
	t.Parallel()
	c := claimed(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	said := says(c.message, map[string]any{"exp": 1893556800})
	claim := sign(t, jwt.SigningMethodEdDSA, c.private, said, map[string]any{"kid": "one"})
	const whose = `(JWT of "crm", issuer "i", expires 2030-01-02T04:00:00Z, not verified, not shown)`
	bearer := sign(t, jwt.SigningMethodES256, key, jwt.MapClaims{"sub": "\x1b[2J" + strings.Repeat("a", 90)}, nil)
	foreign := sign(t, jwt.SigningMethodHS256, []byte("secret"), said, nil)
	nothing := func(text string) string {
		return fmt.Sprintf("(%d bytes of which nothing can be read, not shown)", len(text))
	}
	tests := []struct {
		name, property string
		value          any
		want           string
	}{
		{"a claim", ClaimProperty, claim, whose},
		{"under a name in other letters", "Signmill-Producer", claim, whose},
		{"under another name", "producer", claim, whose},
		{"as bytes", "producer", []byte(claim), whose},
		{"among other words", "authorization", "Bearer " + claim + ", twice", whose},
		{"that never expires, with a long name", "t", bearer, `(JWT of "\x1b[2J` + strings.Repeat("a", 76) + `...", issuer "", expires never, not verified, not shown)`},
		{"with another algorithm", ClaimProperty, foreign, nothing(foreign)},
		{"no claim", ClaimProperty, "forged", nothing("forged")},
		{"no text", ClaimProperty, 17, nothing("")},
		{"a payload that is none", ClaimProperty, rawJWT(t, c.private, `[]`), nothing(rawJWT(t, c.private, `[]`))},
		{"too long", ClaimProperty, claim + strings.Repeat("a", MaxClaimBytes), nothing(claim + strings.Repeat("a", MaxClaimBytes))},
		{"a time beyond all", ClaimProperty, rawJWT(t, c.private, `{"exp":1e300}`), ""},
		{"a host", "host", "ezpays-example.vault.azure.net", "ezpays-example.vault.azure.net"},
		{"a trace", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		{"a number", "signmill-attempts", int64(3), "3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			properties := map[string]any{test.property: test.value}
			shown := HideClaims(properties)
			got := fmt.Sprint(shown[test.property])
			if got != test.want && test.want != "" {
				t.Errorf("got %s, want %s", got, test.want)
			}
			line, err := json.Marshal(shown)
			if err != nil {
				t.Fatal(err)
			}
			for _, token := range []string{claim, bearer, foreign} {
				signature := token[strings.LastIndex(token, ".")+1:]
				if strings.Contains(got+string(line), signature) {
					t.Errorf("the signature shows in %s or %s", got, line)
				}
			}
			if fmt.Sprint(properties[test.property]) != fmt.Sprint(test.value) {
				t.Errorf("the message's own property is now %v, want it as it was", properties[test.property])
			}
		})
	}
	if got := HideClaims(nil); got != nil {
		t.Errorf("no properties: got %v, want nil", got)
	}
}
