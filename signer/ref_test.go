package signer

import (
	"strings"
	"testing"
)

func TestValidNames(t *testing.T) {
	t.Parallel()
	version := "0123456789abcdefABCDEF0123456789"
	tests := []struct {
		text          string
		name, version bool
	}{
		{"invoices", true, false},
		{"A-1", true, false},
		{strings.Repeat("k", 127), true, false},
		{strings.Repeat("k", 128), false, false},
		{"", false, false},
		{"..", false, false},
		{"a/b", false, false},
		{"a_b", false, false},
		{"a b", false, false},
		{"schlüssel", false, false},
		{version, true, true},
		{version[:31], true, false},
		{version[:31] + "g", true, false},
	}
	for _, test := range tests {
		if got := ValidName(test.text); got != test.name {
			t.Errorf("name %q: got %v, want %v", test.text, got, test.name)
		}
		if got := ValidVersion(test.text); got != test.version {
			t.Errorf("version %q: got %v, want %v", test.text, got, test.version)
		}
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "vault.localhost": true, "127.0.0.1": true, "127.8.9.1": true, "::1": true,
		"": false, "localhost.example.org": false, "notlocalhost": false, "10.0.0.1": false, "example.vault.azure.net": false, "127.0.0.1.example.org": false,
	} {
		if got := Loopback(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}
