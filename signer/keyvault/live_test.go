package keyvault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/signer/signertest"
)

// TestConformanceElsewhere runs the suite against any vault:
//
//	SIGNMILL_TEST_VAULT_URL          its base URL; unset: the test is skipped
//	SIGNMILL_TEST_VAULT_TOKEN        an access token (az account get-access-token --resource https://vault.azure.net)
//	SIGNMILL_TEST_VAULT_CA           a PEM file with the certificate to trust; unset: the system's
//	SIGNMILL_TEST_VAULT_ADDRESS      host:port where it is; unset: where its URL says
//	SIGNMILL_TEST_VAULT_API_VERSION  the api-version to send; unset: the SDK's
//	SIGNMILL_TEST_VAULT_STRAYS       how it is known to differ from Azure's, in names of signertest.Stray
//	                                 with commas between them; unset: not at all
//
// It makes keys whose names begin with test-, leaves them behind, and touches
// no others. What a vault has no keys for is skipped with its own words.
func TestConformanceElsewhere(t *testing.T) {
	vault := os.Getenv("SIGNMILL_TEST_VAULT_URL")
	if vault == "" {
		t.Skip("SIGNMILL_TEST_VAULT_URL is not set")
	}
	transport := newTransport(64)
	t.Cleanup(transport.CloseIdleConnections)
	if file := os.Getenv("SIGNMILL_TEST_VAULT_CA"); file != "" {
		text, err := os.ReadFile(file)
		roots := x509.NewCertPool()
		if err != nil || !roots.AppendCertsFromPEM(text) {
			t.Fatalf("%s holds no certificate: %v", file, err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	if at := os.Getenv("SIGNMILL_TEST_VAULT_ADDRESS"); at != "" {
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, at)
		}
	}
	versioned := apiVersion{transport, os.Getenv("SIGNMILL_TEST_VAULT_API_VERSION")}
	strays, retry := strays(t), Retry{}
	if len(strays) > 0 {
		retry.Base = time.Millisecond // some answer 500 for good
	}
	signertest.Run(t, func(t *testing.T) signertest.Harness {
		h := harness(t, vault, given(os.Getenv("SIGNMILL_TEST_VAULT_TOKEN")), versioned, retry)
		h.Strays = strays
		return h
	})
}

// strays reads how the vault is known to differ.
func strays(t *testing.T) (known []signertest.Stray) {
	t.Helper()
	for name := range strings.SplitSeq(os.Getenv("SIGNMILL_TEST_VAULT_STRAYS"), ",") {
		way := signertest.Stray(name)
		if name != "" && !slices.Contains(signertest.Strays(), way) {
			t.Fatalf("SIGNMILL_TEST_VAULT_STRAYS: %q is none of %v", name, signertest.Strays())
		}
		if name != "" {
			known = append(known, way)
		}
	}
	return known
}

// apiVersion sends another api-version than the SDK's.
type apiVersion struct {
	http.RoundTripper
	version string
}

func (a apiVersion) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.version != "" {
		req = req.Clone(req.Context())
		query := req.URL.Query()
		query.Set("api-version", a.version)
		req.URL.RawQuery = query.Encode()
	}
	return a.RoundTripper.RoundTrip(req)
}
