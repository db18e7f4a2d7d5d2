package keyvault

import (
	"strings"
	"testing"
	"time"
)

func TestNewListsAllFaults(t *testing.T) {
	t.Parallel()
	_, err := New(Config{
		Concurrency: -1, CacheFor: -1, LatestFor: -1, RefuseFor: -1,
		Retry:   Retry{Base: -1, Cap: -1, Timeout: -1},
		Domains: []string{"net", ".example.org", "example.org:1", "https://example.org", ""},
	})
	if err == nil {
		t.Fatal("New took a configuration full of faults")
	}
	for _, want := range []string{
		"Credential", "Concurrency", "CacheFor", "LatestFor", "RefuseFor", "Retry.Base", "Retry.Cap", "Retry.Timeout",
		`"net"`, `".example.org"`, `"example.org:1"`, `"https://example.org"`, `""`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not speak of %s: %v", want, err)
		}
	}
}

func TestZeroConfigIsFilled(t *testing.T) {
	t.Parallel()
	got := Config{}.filled()
	if got.Concurrency != 64 || got.CacheFor != 5*time.Minute || got.LatestFor != 5*time.Minute || got.RefuseFor != 10*time.Second || got.Log == nil {
		t.Errorf("filled = %+v", got)
	}
	if got.Retry != (Retry{Attempts: 8, Base: time.Second, Cap: 16 * time.Second, Timeout: 30 * time.Second}) {
		t.Errorf("filled = %+v", got.Retry)
	}
}
