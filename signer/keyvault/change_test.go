package keyvault

import (
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
)

func TestUpdate(t *testing.T) {
	t.Parallel()
	v := keep(t, localvault.Config{})
	first := mustCreate(t, v, KeySpec{Name: "k", Type: "EC", Settings: Settings{Tags: map[string]string{"a": "1"}}})
	mustCreate(t, v, KeySpec{Name: "k", Type: "EC"})
	changed, err := v.Update(t.Context(), "k", first.Version, Change{Enabled: new(false), Operations: []string{"verify"}})
	if err != nil || changed.Enabled || len(changed.Operations) != 1 || changed.Tags["a"] != "1" || changed.KID != first.KID {
		t.Errorf("Update = %+v, %v", changed, err)
	}
	_, err = v.Get(t.Context(), "k", first.Version)
	wantCode(t, "a disabled version", err, schema.CodeKeyUnusable)
	disabled := 0
	for _, k := range collect(t, v.Versions(t.Context(), "k")) {
		if !k.Enabled {
			disabled++
		}
	}
	if disabled != 1 {
		t.Errorf("%d versions are disabled, want 1", disabled)
	}
	_, err = v.Update(t.Context(), "k", "", Change{})
	wantCode(t, "no change", err, schema.CodeVaultRejected)
	_, err = v.Update(t.Context(), "nobody", "", Change{Enabled: new(true)})
	wantCode(t, "no key", err, schema.CodeKeyNotFound)
}
