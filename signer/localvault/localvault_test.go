package localvault_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

const memoryURL = "https://local.vault.azure.net"

// anyone is a credential whose token never runs out.
type anyone struct{}

func (anyone) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "anyone", ExpiresOn: time.Now().Add(24 * time.Hour)}, nil
}

// start makes a vault, or ends the test.
func start(t testing.TB, cfg localvault.Config) *localvault.Server {
	t.Helper()
	server, err := localvault.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// client reaches the vault in memory, with the SDK's checks on and its retries off.
func client(t testing.TB, server *localvault.Server) *azkeys.Client {
	t.Helper()
	return clientFor(t, memoryURL, server.RoundTripper())
}

func clientFor(t testing.TB, url string, transport http.RoundTripper) *azkeys.Client {
	t.Helper()
	c, err := azkeys.NewClient(url, anyone{}, &azkeys.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: &http.Client{Transport: transport},
		Retry:     policy.RetryOptions{MaxRetries: -1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
