package localvault_test

import (
	"crypto/elliptic"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

// accepted reads a key until the vault refuses, and returns how often it did not.
func accepted(t *testing.T, c *azkeys.Client, name string) int {
	t.Helper()
	for n := range 10_000 {
		if _, err := c.GetKey(t.Context(), name, "", nil); err != nil {
			wantRefusal(t, err, 429, "Throttled", "")
			return n
		}
	}
	t.Fatal("never refused")
	return 0
}

func TestQuotaWeights(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name      string
		key       *azkeys.JSONWebKey
		soft, hsm int // operations in 160 units
	}{
		{"RSA 2048", rsaJWK(t, 2048), 160, 80},
		{"RSA 3072", rsaJWK(t, 3072), 40, 20},
		{"RSA 4096", rsaJWK(t, 4096), 20, 10},
		{"P-256", ecJWK(t, elliptic.P256(), "P-256"), 160, 80},
		{"P-521", ecJWK(t, elliptic.P521(), "P-521"), 160, 80},
	}
	for _, tc := range cases {
		for hsm, want := range map[bool]int{false: tc.soft, true: tc.hsm} {
			t.Run(fmt.Sprintf("%s HSM %v", tc.name, hsm), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := client(t, start(t, localvault.Config{Quota: localvault.Quota{Units: 160}}))
					if _, err := c.ImportKey(t.Context(), "k", azkeys.ImportKeyParameters{Key: tc.key, HSM: &hsm}, nil); err != nil {
						t.Fatal(err)
					}
					if got := accepted(t, c, "k"); got != want {
						t.Errorf("%d operations, want %d", got, want)
					}
				})
			})
		}
	}
}

func TestWindowShapes(t *testing.T) {
	cases := []struct {
		name  string
		quota localvault.Quota
		want  [4]int // accepted 9 s, 10 s, 18.999 s and 19 s after the start
	}{
		{"fixed", localvault.Quota{Units: 100}, [4]int{100, 100, 0, 0}},
		{"sliding", localvault.Quota{Units: 100, Shape: localvault.SlidingWindow}, [4]int{100, 0, 0, 100}},
		{"fixed, refusals count", localvault.Quota{Units: 100, ChargeRejected: true}, [4]int{100, 100, 0, 0}},
		{"sliding, refusals count", localvault.Quota{Units: 100, Shape: localvault.SlidingWindow, ChargeRejected: true}, [4]int{100, 0, 0, 98}},
		{"own length", localvault.Quota{Units: 100, Window: time.Second}, [4]int{100, 100, 100, 100}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}, Quota: tc.quota}))
				zero := time.Now()
				var got [4]int
				for i, at := range []time.Duration{9 * time.Second, 10 * time.Second, 18_999 * time.Millisecond, 19 * time.Second} {
					<-time.After(time.Until(zero.Add(at)))
					got[i] = accepted(t, c, "k")
				}
				if got != tc.want {
					t.Errorf("accepted %v, want %v", got, tc.want)
				}
			})
		})
	}
}

func TestThrottledAnswer(t *testing.T) {
	t.Parallel()
	quota := localvault.Quota{Units: 1}
	server := start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}, Quota: quota})
	ask(t, server, "GET", "/keys/k?api-version=7.6", "")
	status, header, body := ask(t, server, "GET", "/keys/k?api-version=7.6", "")
	const want = `{"error":{"code":"Throttled","message":"Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"}}`
	if _, has := header["Retry-After"]; status != 429 || body != want || has {
		t.Errorf("%d %v\n%s", status, header, body)
	}
	quota.RetryAfter = 1500 * time.Millisecond
	server.SetQuota(quota)
	status, header, _ = ask(t, server, "GET", "/keys/k?api-version=7.6", "")
	if status != 429 || header.Get("Retry-After") != "2" {
		t.Errorf("%d, Retry-After %q", status, header.Get("Retry-After"))
	}
	if got := server.Stats().Throttled; got != 2 {
		t.Errorf("counted %d, want 2", got)
	}
}

func TestCreateAndImportWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := start(t, localvault.Config{Quota: localvault.Quota{Units: 1000, Import: 3}})
		c := client(t, server)
		count := func(do func() error) (n int) {
			for range 1000 {
				if err := do(); err != nil {
					wantRefusal(t, err, 429, "Throttled", "")
					return n
				}
				n++
			}
			return n
		}
		create := func(kty azkeys.KeyType) func() error {
			return func() error {
				_, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: &kty}, nil)
				return err
			}
		}
		if soft, hsm := count(create("EC")), count(create("EC-HSM")); soft != 20 || hsm != 10 {
			t.Errorf("created %d software and %d HSM keys, want 20 and 10", soft, hsm)
		}
		key := koblitzJWK(t)
		imported := count(func() error {
			_, err := c.ImportKey(t.Context(), "i", azkeys.ImportKeyParameters{Key: key}, nil)
			return err
		})
		if imported != 3 {
			t.Errorf("imported %d, want 3", imported)
		}
		if got := accepted(t, c, "i"); got != 1000 {
			t.Errorf("%d other operations, want 1000", got)
		}
	})
}

// What a new key costs, a release costs: both draw on one window.
func TestReleaseIsCharged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(t, start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC-HSM"}}, Quota: localvault.Quota{Units: 1000}}))
		for n := range 11 {
			_, err := c.Release(t.Context(), "k", "", azkeys.ReleaseParameters{TargetAttestationToken: new("t")}, nil)
			if n < 10 {
				wantRefusal(t, err, 403, "Forbidden", "KeyNotExportable")
				continue
			}
			wantRefusal(t, err, 429, "Throttled", "")
		}
		_, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeECHSM)}, nil)
		wantRefusal(t, err, 429, "Throttled", "")
	})
}

// Every use of a key costs its weight, whether it works out or not.
func TestCipherIsCharged(t *testing.T) {
	t.Parallel()
	for _, kty := range []string{"oct-HSM", "RSA-HSM"} {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: kty}}, Quota: localvault.Quota{Units: 8}}))
			for _, op := range []cipherCall{"encrypt", "decrypt", "wrapKey", "unwrapKey"} {
				_, err := op.with(t, c, parameters("none", []byte{1}))
				wantRefusal(t, err, 400, "BadParameter", "")
			}
			_, err := cipherCall("encrypt").with(t, c, parameters("none", []byte{1}))
			wantRefusal(t, err, 429, "Throttled", "")
		})
	}
}

func TestQuotaChangesWhileRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}, Quota: localvault.Quota{Units: 100}})
		c := client(t, server)
		for i, step := range []struct{ units, want int }{{100, 100}, {150, 50}, {50, 0}} {
			server.SetQuota(localvault.Quota{Units: step.units})
			if got := accepted(t, c, "k"); got != step.want {
				t.Errorf("step %d: %d, want %d", i, got, step.want)
			}
		}
		server.SetQuota(localvault.Quota{})
		if _, err := c.GetKey(t.Context(), "k", "", nil); err != nil {
			t.Errorf("without quota: %v", err)
		}
	})
}

func TestProbes(t *testing.T) {
	t.Parallel()
	for _, charged := range []bool{false, true} {
		server := start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}, Quota: localvault.Quota{Units: 10, ChargeProbes: charged}})
		want := 10
		if charged {
			want = 9
		}
		if got := accepted(t, client(t, server), "k"); got != want {
			t.Errorf("charged %v: %d, want %d", charged, got, want)
		}
	}
}

// The SDK's own retry gets over a window, in virtual time.
func TestSDKRetriesOver429(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}, Quota: localvault.Quota{Units: 1, Window: 5 * time.Second}})
		c, err := azkeys.NewClient(memoryURL, anyone{}, &azkeys.ClientOptions{ClientOptions: azcore.ClientOptions{
			Transport: &http.Client{Transport: server.RoundTripper()}, Retry: policy.RetryOptions{MaxRetries: 3}}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := c.GetKey(t.Context(), "k", "", nil); err != nil {
				t.Fatal(err)
			}
		}
		if got := server.Stats(); got.Operations["get"] != 2 || got.Throttled == 0 {
			t.Errorf("counts %+v", got)
		}
	})
}

// No span of a window's length takes more than the quota, whatever the load.
func TestSlidingWindowNeverOverruns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := start(t, localvault.Config{
			Keys:  []localvault.KeySpec{{Name: "k", Type: "EC-HSM"}},
			Quota: localvault.Quota{Units: 100, Shape: localvault.SlidingWindow},
		})
		c := client(t, server)
		var at []time.Time
		for step := range 6000 {
			<-time.After(time.Duration(step%13) * time.Millisecond)
			if _, err := c.GetKey(t.Context(), "k", "", nil); err == nil {
				at = append(at, time.Now())
			}
		}
		for i := 50; i < len(at); i++ {
			if span := at[i].Sub(at[i-50]); span < 10*time.Second {
				t.Fatalf("51 operations of 2 units in %v", span)
			}
		}
		if len(at) < 150 {
			t.Errorf("only %d accepted", len(at))
		}
	})
}
