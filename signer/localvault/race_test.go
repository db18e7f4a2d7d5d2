package localvault_test

import (
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

// All at once: signing, new versions, updates, and changes of faults and quota.
// The race detector is what judges, and the counts must be exact.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	server := start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}})
	c := client(t, server)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if err := signWith(t.Context(), c, "k", "", "ES256", make([]byte, 32)); err != nil {
					t.Error(err)
				}
				if _, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeEC)}, nil); err != nil {
					t.Error(err)
				}
				if _, err := c.UpdateKey(t.Context(), "k", "", azkeys.UpdateKeyParameters{Tags: map[string]*string{"a": new("b")}}, nil); err != nil {
					t.Error(err)
				}
				server.SetFaults(localvault.Faults{WrongSignature: 1})
				server.SetQuota(localvault.Quota{})
			}
		})
	}
	all.Wait()
	if got := server.Stats().Operations; got["sign"] != 160 || got["create"] != 160 || got["update"] != 160 {
		t.Errorf("counts %v, want 160 of each", got)
	}
}

// The life of keys, all at once: a key is there, in the bin, or gone, and a list
// never fails.
func TestConcurrentLifecycle(t *testing.T) {
	t.Parallel()
	server := start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC"}}})
	paths := []struct{ method, target, body string }{
		{"POST", "/keys/k/create", `{"kty":"EC"}`}, {"POST", "/keys/k/rotate", ""}, {"PATCH", "/keys/k", `{"tags":{"a":"b"}}`},
		{"DELETE", "/keys/k", ""}, {"POST", "/deletedkeys/k/recover", ""}, {"GET", "/deletedkeys/k", ""}, {"DELETE", "/deletedkeys/k", ""},
		{"GET", "/keys", ""}, {"GET", "/deletedkeys", ""}, {"GET", "/keys/k/versions", ""}, {"POST", "/keys/k/backup", ""},
		{"GET", "/keys/k/rotationpolicy", ""}, {"PUT", "/keys/k/rotationpolicy", `{"attributes":{"expiryTime":"P90D"}}`},
	}
	var all sync.WaitGroup
	for _, p := range paths {
		all.Go(func() {
			for range 50 {
				status, _, body := ask(t, server, p.method, p.target+"?api-version=7.6", p.body)
				if status != 404 && status != 409 && (status < 200 || status > 204) {
					t.Errorf("%s %s: %d %s", p.method, p.target, status, body)
				}
			}
		})
	}
	all.Wait()
}
