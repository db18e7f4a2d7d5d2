package redisshare

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		url, fault string // fault: part of the error; empty: none
		addrs      string
	}{
		{url: "redis://cache", addrs: "cache:6379"},
		{url: "rediss://app@cache.example.org:6380/2", addrs: "cache.example.org:6380"},
		{url: "rediss+cluster://a:1?addr=b:2&addr=c:3", addrs: "a:1 b:2 c:3"},
		{url: "redis+sentinel://s1:26379?master=quota&addr=s2:26379", addrs: "s1:26379 s2:26379"},
		{url: "redis://[::1]:7000", addrs: "[::1]:7000"},
		{url: "", fault: "is none"},
		{url: "cache:6379", fault: "is none"},
		{url: "http://cache", fault: `scheme "http"`},
		{url: "redis+magic://cache", fault: `scheme "redis+magic"`},
		{url: "redis://app:hunter2@cache", fault: "has a password"},
		{url: "redis://cache/x", fault: "no database"},
		{url: "redis+cluster://cache/1", fault: "no database"},
		{url: "redis+sentinel://cache", fault: "master"},
		{url: "redis://cache?master=quota", fault: "master"},
		{url: "redis://cache?addr=b:1", fault: "addr"},
		{url: "redis://cache?password=hunter2", fault: `parameter "password"`},
	} {
		t.Run(tt.url, func(t *testing.T) {
			t.Parallel()
			o, err := parse(tt.url)
			switch {
			case tt.fault == "" && err != nil:
				t.Errorf("got %v", err)
			case tt.fault == "":
				if got := strings.Join(o.Addrs, " "); got != tt.addrs {
					t.Errorf("got %q, want %q", got, tt.addrs)
				}
			case err == nil || !strings.Contains(err.Error(), tt.fault):
				t.Errorf("got %v, want %q", err, tt.fault)
			case strings.Contains(err.Error(), "hunter2"):
				t.Errorf("the error quotes a password: %v", err)
			}
		})
	}
}

func TestFaultsAreListed(t *testing.T) {
	t.Parallel()
	_, err := New(Config{URL: "redis://:hunter2@[", Vault: "a{b}", PasswordEnv: "A", PasswordFile: "b", Quota: -1, Guard: 2})
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{"URL", "Vault", "PasswordEnv", "negative", "Guard"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not tell of %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error quotes a password: %v", err)
	}
}

func TestPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SIGNMILL_TEST_STORE_PASSWORD", "hunter3")
	for _, tt := range []struct {
		config Config
		want   string
	}{
		{Config{}, ""},
		{Config{PasswordFile: file}, "hunter2"},
		{Config{PasswordEnv: "SIGNMILL_TEST_STORE_PASSWORD"}, "hunter3"},
	} {
		if got, err := tt.config.password(); got != tt.want || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, tt.want)
		}
	}
	for _, c := range []Config{{PasswordEnv: "SIGNMILL_TEST_NOT_SET"}, {PasswordFile: file + "x"}} {
		if _, err := c.password(); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

// TestPasswordIsSent also reads it anew for each connection.
func TestPasswordIsSent(t *testing.T) {
	t.Setenv("SIGNMILL_TEST_STORE_PASSWORD", "hunter2")
	c := Config{URL: "rediss://app@cache", PasswordEnv: "SIGNMILL_TEST_STORE_PASSWORD", Vault: "v"}.filled()
	o, err := options(c)
	if err != nil {
		t.Fatal(err)
	}
	user, password, err := o.CredentialsProviderContext(context.Background())
	if user != "app" || password != "hunter2" || err != nil {
		t.Errorf("got %q, %q, %v", user, password, err)
	}
	if o.TLSConfig == nil || o.TLSConfig.MinVersion < 0x0303 {
		t.Error("rediss:// goes without TLS 1.2")
	}
}

func FuzzURL(f *testing.F) {
	for _, seed := range []string{"redis://u@h:1/2", "rediss+cluster://h?addr=x:1", "redis://:p@h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parse(text)
		if (o == nil) == (err == nil) {
			t.Errorf("%q: %v, %v", text, o, err)
		}
	})
}
