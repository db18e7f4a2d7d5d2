package quotabench

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

const vaultURL = "https://bench.vault.azure.net"

// token is a credential whose token never expires in a run.
type token struct{}

func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(24 * time.Hour)}, nil
}

// carrier hands the SDK's requests to a Link.
type carrier struct{ *Link }

func (c carrier) Do(req *http.Request) (*http.Response, error) { return c.RoundTrip(req) }

// sdk is the official client on a link.
func sdk(t testing.TB, link *Link, retry policy.RetryOptions) *azkeys.Client {
	t.Helper()
	client, err := azkeys.NewClient(link.vault.URL(), token{}, &azkeys.ClientOptions{
		ClientOptions: azcore.ClientOptions{Transport: carrier{link}, Retry: retry},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func openVault(t testing.TB, rules Rules) *Vault {
	t.Helper()
	vault, err := NewVault(vaultURL, rules)
	if err != nil {
		t.Fatal(err)
	}
	return vault
}

// rs256 are the parameters of the only signature that vaults hold.
func rs256() azkeys.SignParameters {
	algorithm := azkeys.SignatureAlgorithmRS256
	return azkeys.SignParameters{Algorithm: &algorithm, Value: Digest()}
}

// TestOfficialClient signs with all keys through azkeys: the challenge is
// free, a key costs a unit, and every signature verifies.
func TestOfficialClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := openVault(t, Rules{Shape: Fixed})
		client := sdk(t, NewLink(vault, 3, 1), policy.RetryOptions{MaxRetries: -1})
		for _, k := range []Key{Software2048, HSM2048, HSM4096} {
			bundle, err := client.GetKey(t.Context(), k.Name, "", nil)
			if err != nil || bundle.Key == nil || string(*bundle.Key.KID) != k.KID(vaultURL) {
				t.Fatalf("%s: %+v, %v", k.Name, bundle, err)
			}
			answer, err := client.Sign(t.Context(), k.Name, version, rs256(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := rsa.VerifyPKCS1v15(k.Public(), crypto.SHA256, Digest(), answer.Result); err != nil {
				t.Errorf("%s: %v", k.Name, err)
			}
		}
		if got := vault.Arrived(); len(got) != 6 || got.Accepted() != 3+1+2+16 || got[5].Replica != 3 {
			t.Errorf("arrived: %v", got)
		}
	})
}

// TestRefusals compares the bare call and the official client on a full vault.
func TestRefusals(t *testing.T) {
	for _, hint := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			vault := openVault(t, Rules{Shape: Fixed, Quota: func(time.Duration) float64 { return 0 }, Hint: hint})
			link := NewLink(vault, 0, 1)
			want, header := time.Duration(0), ""
			if hint {
				want, header = 10*time.Second, "10"
			}
			err := link.Call(t.Context(), HSM2048)
			if refused, ok := errors.AsType[*Throttled](err); !ok || refused.After != want {
				t.Errorf("bare: %v", err)
			}
			_, err = sdk(t, link, policy.RetryOptions{MaxRetries: -1}).Sign(t.Context(), HSM2048.Name, version, rs256(), nil)
			answer, ok := errors.AsType[*azcore.ResponseError](err)
			if !ok || answer.StatusCode != http.StatusTooManyRequests || answer.ErrorCode != "Throttled" || answer.RawResponse.Header.Get("Retry-After") != header {
				t.Errorf("SDK: %v", err)
			}
		})
	}
}

// TestTimes checks the medians of the model's latencies.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := openVault(t, Rules{Shape: Fixed, Quota: func(at time.Duration) float64 {
			if at < time.Minute {
				return 1e9
			}
			return 0
		}})
		link := NewLink(vault, 0, 1)
		var good, bad []float64
		for range 2000 {
			start := time.Now()
			if err := link.Call(t.Context(), HSM2048); err == nil {
				good = append(good, float64(time.Since(start)/time.Millisecond))
			} else {
				bad = append(bad, float64(time.Since(start)/time.Millisecond))
			}
		}
		if got := Median(good); got < 84 || got > 93 {
			t.Errorf("a success takes %v ms, want about 88", got)
		}
		if got := Median(bad); got < 17 || got > 22 {
			t.Errorf("a refusal takes %v ms, want about 19", got)
		}
	})
}

// TestCancelledCall arrives all the same: what has left cannot be called back.
func TestCancelledCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vault := openVault(t, Rules{Shape: Fixed})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := NewLink(vault, 0, 1).Call(ctx, HSM2048); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got := vault.Arrived(); len(got) != 1 || !got[0].Admitted {
			t.Errorf("arrived: %v", got)
		}
	})
}
