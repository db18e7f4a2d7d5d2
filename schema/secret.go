package schema

import (
	"fmt"
	"log/slog"
)

// Secret is a plaintext or an unwrapped key. However it is printed, logged or
// put into JSON by reflection, its bytes do not show; only what converts it to
// []byte on purpose sees them. Package fmt cannot know that where it comes to a
// Secret through an unexported field, or below a pointer that the verb does not
// suit: keep it in exported fields, and see the Format methods of this package.
type Secret []byte

// redacted stands in the place of a secret's bytes.
const redacted = "[redacted]"

// String returns the same for every secret.
func (s Secret) String() string { return redacted }

// Format writes the same for every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// LogValue is what log/slog writes.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is what encoding/json and others write.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
