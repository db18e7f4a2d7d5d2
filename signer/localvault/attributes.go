package localvault

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// attributes is the management side of a key version. Times are Unix seconds.
type attributes struct {
	Enabled         bool   `json:"enabled"`
	NotBefore       *int64 `json:"nbf,omitempty"`
	Expires         *int64 `json:"exp,omitempty"`
	Created         int64  `json:"created"`
	Updated         int64  `json:"updated"`
	RecoveryLevel   string `json:"recoveryLevel"`
	RecoverableDays int    `json:"recoverableDays"`
	Exportable      bool   `json:"exportable"`

	Attestation *attestation `json:"attestation,omitempty"` // set in one kind of answer
}

// settings is what create, import and update have in common. Nil: unchanged.
type settings struct {
	Attributes struct {
		Enabled    *bool  `json:"enabled"`
		NotBefore  *int64 `json:"nbf"`
		Expires    *int64 `json:"exp"`
		Exportable *bool  `json:"exportable"`
	} `json:"attributes"`
	Ops     []string          `json:"key_ops"`
	Tags    map[string]string `json:"tags"`
	Release *releasePolicy    `json:"release_policy"`
}

const (
	maxTags   = 15
	maxTagLen = 256
)

// keyOps is the vocabulary of key operations, and constant. The first six are
// what a new RSA key may do; an EC key may sign and verify.
var keyOps = []string{"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "export", "deriveKey"}

func defaultOps(kty string) []string {
	if strings.HasPrefix(kty, "EC") {
		return []string{"sign", "verify"}
	}
	return slices.Clone(keyOps[:6])
}

// freshAttributes returns those of a key made now.
func (s *Server) freshAttributes() attributes {
	now := s.clock.Now().Unix()
	return attributes{Enabled: true, Created: now, Updated: now, RecoveryLevel: "Recoverable+Purgeable", RecoverableDays: 90}
}

// check reports the first fault.
func (c settings) check() error {
	if len(c.Ops) > len(keyOps) {
		return badParameter("key_ops", "too many values")
	}
	for _, op := range c.Ops {
		if !slices.Contains(keyOps, op) {
			return badParameter("key_ops", fmt.Sprintf("operation %q is unknown", op))
		}
	}
	if len(c.Tags) > maxTags {
		return badParameter("tags", fmt.Sprintf("%d tags; at most %d", len(c.Tags), maxTags))
	}
	for name, value := range c.Tags {
		if name == "" || len(name) > maxTagLen || len(value) > maxTagLen {
			return badParameter("tags", "a name of 1 to 256 and a value of up to 256 characters")
		}
	}
	return nil
}

// with returns a copy of v with the settings applied.
func (v version) with(c settings) (version, error) {
	if err := c.check(); err != nil {
		return version{}, err
	}
	a := &v.attributes
	set(&a.Enabled, c.Attributes.Enabled)
	set(&a.Exportable, c.Attributes.Exportable)
	if c.Attributes.NotBefore != nil {
		a.NotBefore = c.Attributes.NotBefore
	}
	if c.Attributes.Expires != nil {
		a.Expires = c.Attributes.Expires
	}
	if a.NotBefore != nil && a.Expires != nil && *a.Expires <= *a.NotBefore {
		return version{}, badParameter("exp", "must be after nbf")
	}
	if c.Ops != nil {
		v.ops = slices.Clone(c.Ops)
	} else if v.ops == nil {
		v.ops = defaultOps(v.kty)
	}
	if c.Tags != nil {
		v.tags = maps.Clone(c.Tags)
	}
	if c.Release != nil {
		v.release = c.Release
		if v.release.ContentType == "" {
			v.release.ContentType = releaseType
		}
	}
	return v, v.checkRelease()
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// permit tells whether the version may do the operation now. Dates stop only
// what makes new data under the key; verify works outside them.
func (v *version) permit(op string, now time.Time) error {
	if !v.attributes.Enabled {
		return forbidden("KeyDisabled", "Operation "+op+" is not allowed on a disabled key.")
	}
	if !slices.Contains(v.ops, op) {
		return forbidden("KeyOperationForbidden", "Operation "+op+" is not permitted on this key.")
	}
	if op != "sign" && op != "encrypt" && op != "wrapKey" {
		return nil
	}
	if from := v.attributes.NotBefore; from != nil && now.Unix() < *from {
		return forbidden("KeyNotYetValid", "Operation "+op+" is not allowed before the key's nbf.")
	}
	if until := v.attributes.Expires; until != nil && now.Unix() >= *until {
		return forbidden("KeyExpired", "Operation "+op+" is not allowed after the key's exp.")
	}
	return nil
}
