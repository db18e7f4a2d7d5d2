package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// redisScope is that of the tokens that Azure Managed Redis and Azure Cache for
// Redis take in the place of a password:
// https://learn.microsoft.com/azure/redis/entra-for-authentication. No other cloud
// than the public one documents its scope, so that a store there needs a password.
const redisScope = "https://redis.azure.com/.default"

// storeLogin returns what logs in to a store in Azure with an identity over TLS,
// and nil for any other store: none but Azure's gets a token. The user is the one in
// the store's URL, or the identity's object ID; the password is a token.
func storeLogin(store string, identity azcore.TokenCredential) func(context.Context) (user, password string, err error) {
	u, err := url.Parse(store)
	if err != nil || identity == nil || !strings.HasPrefix(u.Scheme, "rediss") || !isAzureRedis(u.Hostname()) {
		return nil
	}
	return func(ctx context.Context) (string, string, error) {
		token, err := identity.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{redisScope}})
		switch {
		case err != nil:
			return "", "", fmt.Errorf("a token for the store: %w", err)
		case u.User != nil:
			return u.User.Username(), token.Token, nil
		}
		user, err := objectID(token.Token)
		return user, token.Token, err
	}
}

func isAzureRedis(host string) bool {
	host = strings.ToLower(host)
	return below(host, "redis.azure.net") || below(host, "redis.cache.windows.net")
}

// objectID reads whom a token is for. The store checks the token; it is ours, and
// no error quotes it.
func objectID(token string) (string, error) {
	var claims struct {
		ObjectID string `json:"oid"`
	}
	_, rest, _ := strings.Cut(token, ".")
	middle, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(middle, "="))
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	if err != nil || claims.ObjectID == "" {
		return "", errors.New("the token for the store names no object ID; give it in the URL, as in rediss://OBJECT-ID@HOST:PORT")
	}
	return claims.ObjectID, nil
}
