package main

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// claiming is a credential whose tokens have these claims, for Azure's Redis alone.
type claiming string

func (c claiming) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	middle := ""
	if len(o.Scopes) == 1 && o.Scopes[0] == "https://redis.azure.com/.default" {
		middle = base64.RawURLEncoding.EncodeToString([]byte(c))
	}
	return azcore.AccessToken{Token: "head." + middle + ".secret", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// TestStoreLogin: a store in Azure gets a token, over TLS, and no other does.
func TestStoreLogin(t *testing.T) {
	t.Parallel()
	const ours = claiming(`{"oid": "1f0c"}`)
	for _, test := range []struct{ store, user string }{ // "": it gets no token
		{"rediss://example.westeurope.redis.azure.net:10000", "1f0c"},
		{"rediss+cluster://example.westeurope.redis.azure.net:10000", "1f0c"},
		{"rediss://Example.Redis.Cache.Windows.net:6380", "1f0c"},
		{"rediss://other@example.westeurope.redis.azure.net:10000", "other"},
		{"redis://example.westeurope.redis.azure.net:10000", ""},
		{"rediss://redis.azure.net", ""},
		{"rediss://redis.azure.net.example.org", ""},
		{"rediss://exampleredis.azure.net", ""},
		{"rediss://store:6380", ""},
		{"rediss://[", ""},
	} {
		login := storeLogin(test.store, ours)
		if login == nil {
			if test.user != "" {
				t.Errorf("%s gets no token", test.store)
			}
			continue
		}
		user, password, err := login(t.Context())
		if err != nil || user != test.user || !strings.HasSuffix(password, ".secret") {
			t.Errorf("%s gets user %q, a password of %d bytes and %v; want user %q", test.store, user, len(password), err, test.user)
		}
	}
	if storeLogin("rediss://example.westeurope.redis.azure.net:10000", nil) != nil {
		t.Error("a token without an identity")
	}
}

// TestTokenWithoutObjectID is refused without a word of it.
func TestTokenWithoutObjectID(t *testing.T) {
	t.Parallel()
	for _, claims := range []claiming{`{"sub": "x"}`, `{"oid": 7}`, `no JSON`} {
		_, _, err := storeLogin("rediss://example.westeurope.redis.azure.net:10000", claims)(t.Context())
		if err == nil || !strings.Contains(err.Error(), "OBJECT-ID@") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", claims, err)
		}
	}
}
