package main

import "testing"

func TestNearestFlag(t *testing.T) {
	t.Parallel()
	tests := []struct{ typed, want string }{
		{"alog", "alg"},
		{"agl", "alg"},
		{"recursiv", "recursive"},
		{"reply-timout", "reply-timeout"},
		{"jsno", "json"},
		{"log-levl", "log-level"},
		{"no-such-flag", ""},
		{"x", ""},
	}
	cmd, _, err := newRoot(streams{}).Find([]string{"sign"})
	if err != nil {
		t.Fatal(err)
	}
	cmd.InheritedFlags() // makes Flags know those of the root
	for _, tt := range tests {
		if got := nearestFlag(cmd.Flags(), tt.typed); got != tt.want {
			t.Errorf("--%s: got %q, want %q", tt.typed, got, tt.want)
		}
	}
}
