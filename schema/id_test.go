package schema

import (
	"strings"
	"testing"
)

// TestMessageIDs holds the derivations for ever. The fingerprints were made
// with: printf %s TEXT | openssl dgst -sha256 -binary | basenc --base64url
func TestMessageIDs(t *testing.T) {
	t.Parallel()
	const job = "7f9c2ba4-e88f-427d-8f3c-0f9a7d7c1b52"
	for _, c := range []struct{ name, got, want string }{
		{"reply", ReplyID(job), "reply-5goZTPy3ud06ztiOHpAygbqxQgRQBW4aZ-wt1vIMaA0"},
		{"reply to an id in Greek", ReplyID("α"), "reply-PjLalkjHj-7cyCHVbkg8Em3NJw6f5JlzxSjjqIkS1Vc"},
		{"refused", RefusedID([]byte("{")), "refused-Ah-1ltuB5tAr89JYbuOYH-UZ8nXArJyna7zy67QJfZY"},
		{"exhausted", ExhaustedID(job, 42), "exhausted-5goZTPy3ud06ztiOHpAygbqxQgRQBW4aZ-wt1vIMaA0-42"},
		{"replay", ReplayID(job, 42), "replay-5goZTPy3ud06ztiOHpAygbqxQgRQBW4aZ-wt1vIMaA0-42"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, c.got, c.want)
		}
	}
	if n := len(ExhaustedID(strings.Repeat("α", MaxID), -1<<63)); n > 128 {
		t.Errorf("got %d characters, want at most 128", n)
	}
}
