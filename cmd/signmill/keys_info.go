package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/cmd/signmill/internal/estimate"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/quota"
)

// keyJSON is the form of a key on standard output with --json. Times are RFC
// 3339 in UTC.
type keyJSON struct {
	KID             string            `json:"kid"`
	Name            string            `json:"name"`
	Version         string            `json:"version,omitempty"`
	Type            string            `json:"type,omitempty"`
	Size            int               `json:"size,omitempty"`
	Curve           string            `json:"curve,omitempty"`
	Operations      []string          `json:"operations,omitempty"`
	Enabled         bool              `json:"enabled"`
	NotBefore       time.Time         `json:"notBefore,omitzero"`
	Expires         time.Time         `json:"expires,omitzero"`
	Created         time.Time         `json:"created,omitzero"`
	Updated         time.Time         `json:"updated,omitzero"`
	Exportable      bool              `json:"exportable,omitempty"`
	RecoveryLevel   string            `json:"recoveryLevel,omitempty"`
	RecoverableDays int               `json:"recoverableDays,omitempty"`
	HSMPlatform     string            `json:"hsmPlatform,omitempty"`
	Managed         bool              `json:"managed,omitempty"`
	Tags            map[string]string `json:"tags,omitempty"`
	ReleasePolicy   string            `json:"releasePolicy,omitempty"`
	RecoveryID      string            `json:"recoveryId,omitempty"`
	Deleted         time.Time         `json:"deleted,omitzero"`
	Purge           time.Time         `json:"scheduledPurge,omitzero"`
	PublicKey       string            `json:"publicKey,omitempty"` // PEM
}

func newKeyJSON(k keyvault.KeyInfo) keyJSON {
	form := keyJSON{
		KID: k.KID, Name: k.Name, Version: k.Version, Type: k.Type, Size: k.Size, Curve: k.Curve, Operations: k.Operations,
		Enabled: k.Enabled, NotBefore: k.NotBefore.UTC(), Expires: k.Expires.UTC(), Created: k.Created.UTC(), Updated: k.Updated.UTC(),
		Exportable: k.Exportable, RecoveryLevel: k.RecoveryLevel, RecoverableDays: k.RecoverableDays,
		HSMPlatform: k.HSMPlatform, Managed: k.Managed, Tags: k.Tags,
	}
	if k.ReleasePolicy != nil {
		form.ReleasePolicy = string(k.ReleasePolicy.Policy)
	}
	if d := k.Deletion; d != nil {
		form.RecoveryID, form.Deleted, form.Purge = d.RecoveryID, d.Deleted.UTC(), d.Purge.UTC()
	}
	if text, err := signer.MarshalPEM(k.Public); k.Public != nil && err == nil {
		form.PublicKey = string(text)
	}
	return form
}

// tell shows one key: after done, such as "created", or alone.
func (o *keysOptions) tell(done string, k keyvault.KeyInfo) error {
	if o.json {
		return jsonLine(o.out, newKeyJSON(k))
	}
	t := display.NewTable(o.out)
	t.Fact(done, k.KID)
	describeKey(t, k)
	return t.Close()
}

// describeKey tells all that is known of a key but its identifier.
func describeKey(t display.Table, k keyvault.KeyInfo) {
	t.Fact("type", typeText(k))
	t.Fact("operations", strings.Join(k.Operations, ", "))
	t.Fact("enabled", display.YesNo(k.Enabled))
	t.Fact("not before", display.Time(k.NotBefore))
	t.Fact("expires", display.Time(k.Expires))
	t.Fact("created", display.Time(k.Created))
	t.Fact("updated", display.Time(k.Updated))
	t.Fact("recovery", recoveryText(k))
	t.Fact("hardware", k.HSMPlatform)
	if k.Managed {
		t.Fact("managed", "yes, by a certificate")
	}
	if k.Exportable {
		t.Fact("exportable", "yes, under its release policy")
	}
	if k.ReleasePolicy != nil {
		t.Fact("release policy", string(k.ReleasePolicy.Policy))
	}
	t.Fact("tags", display.Tags(k.Tags))
	if k.Deletion != nil {
		t.Fact("deleted", display.Time(k.Deletion.Deleted))
		t.Fact("lost for good", display.Time(k.Deletion.Purge))
	}
}

// typeText is the type with size or curve.
func typeText(k keyvault.KeyInfo) string {
	switch {
	case k.Size > 0:
		return k.Type + " " + strconv.Itoa(k.Size)
	case k.Curve != "":
		return k.Type + " " + k.Curve
	}
	return k.Type
}

// kindOf returns the kind of a key of a vault. One that is on no list costs as
// much as the dearest.
func kindOf(k keyvault.KeyInfo) estimate.Kind {
	family, hsm := strings.CutSuffix(k.Type, "-HSM")
	for _, known := range estimate.Kinds() {
		c := known.Class
		if c.HSM == hsm && (family == "RSA" && c.Type == quota.RSA && c.Bits == k.Size ||
			family == "EC" && c.Type == quota.EC && c.Curve == k.Curve ||
			family == "oct" && c.Type == quota.Oct) {
			return known
		}
	}
	return estimate.Kind{Name: strings.ReplaceAll(typeText(k), " ", "-"), Class: quota.Class{HSM: hsm}}
}

func recoveryText(k keyvault.KeyInfo) string {
	if k.RecoverableDays == 0 {
		return k.RecoveryLevel
	}
	return k.RecoveryLevel + ", " + strconv.Itoa(k.RecoverableDays) + " days"
}
