package keyvault

import (
	"bytes"
	"slices"
	"testing"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/localvault"
)

// TestLife takes a key from its making to its end and back: purge follows
// delete, and restore purge, without a pause.
func TestLife(t *testing.T) {
	t.Parallel()
	v, ctx := keep(t, localvault.Config{}), t.Context()
	first := mustCreate(t, v, KeySpec{Name: "k", Type: "EC", Curve: "P-384", Settings: Settings{Tags: map[string]string{"a": "b"}}})
	second, err := v.Rotate(ctx, "k")
	if err != nil || second.Version == first.Version || second.Curve != "P-384" {
		t.Fatalf("Rotate = %+v, %v", second, err)
	}
	backup, err := v.Backup(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	gone, err := v.Delete(ctx, "K")
	if err != nil || gone.Deletion == nil || gone.Deletion.Deleted.IsZero() || !gone.Deletion.Purge.After(gone.Deletion.Deleted) || gone.Deletion.RecoveryID == "" {
		t.Fatalf("Delete = %+v, %v", gone, err)
	}
	_, err = v.Create(ctx, KeySpec{Name: "k", Type: "EC"})
	wantCode(t, "create over a deleted key", err, schema.CodeVaultRejected)
	if deleted := collect(t, v.Deleted(ctx)); len(deleted) != 1 || deleted[0].Name != "k" || deleted[0].Deletion.Purge != gone.Deletion.Purge {
		t.Errorf("Deleted = %+v", deleted)
	}
	if back, err := v.Recover(ctx, "k"); err != nil || back.KID != second.KID {
		t.Errorf("Recover = %+v, %v", back, err)
	}
	if _, err := v.Delete(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	if err := v.Purge(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	_, err = v.GetDeleted(ctx, "k")
	wantCode(t, "a purged key", err, schema.CodeKeyNotFound)
	restored, err := v.Restore(ctx, backup)
	if err != nil || restored.KID != second.KID || !equal(restored.Public, second.Public) || restored.Tags["a"] != "b" {
		t.Errorf("Restore = %+v, %v", restored, err)
	}
	_, err = v.Restore(ctx, backup)
	wantCode(t, "restore over a key", err, schema.CodeVaultRejected)
	if versions := collect(t, v.Versions(ctx, "k")); len(versions) != 2 {
		t.Errorf("%d versions came back, want 2", len(versions))
	}
}

func TestPoliciesAreKept(t *testing.T) {
	t.Parallel()
	v := keep(t, localvault.Config{})
	mustCreate(t, v, KeySpec{Name: "k", Type: "EC"})
	want := RotationPolicy{ExpiresAfter: "P2Y", RotateBeforeExpiry: "P60D", NotifyBeforeExpiry: "P30D"}
	set, err := v.SetRotationPolicy(t.Context(), "k", want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.RotationPolicy(t.Context(), "k")
	if err != nil || got != set || got.Updated.IsZero() {
		t.Errorf("RotationPolicy = %+v, %v; want %+v", got, err, set)
	}
	got.ID, got.Created, got.Updated = "", want.Created, want.Updated
	if got != want {
		t.Errorf("RotationPolicy = %+v, want %+v", got, want)
	}
	_, err = v.SetRotationPolicy(t.Context(), "k", RotationPolicy{ExpiresAfter: "P1D"})
	wantCode(t, "a life of one day", err, schema.CodeVaultRejected)
}

// TestManagedHSM has what only a Managed HSM has, under its own domain.
func TestManagedHSM(t *testing.T) {
	t.Parallel()
	server := openVault(t, localvault.Config{ManagedHSM: true})
	v, ctx := vaultOf(t, clientOf(t, server.RoundTripper(), nil), "https://local.managedhsm.azure.net"), t.Context()
	rsa := mustCreate(t, v, KeySpec{Name: "rsa", Type: "RSA"})
	aes := mustCreate(t, v, KeySpec{Name: "aes", Type: "oct", Size: 128})
	if rsa.Type != "RSA-HSM" || aes.Type != "oct-HSM" || aes.Public != nil {
		t.Errorf("made %+v and %+v", rsa, aes)
	}
	proof, err := v.Attest(ctx, "rsa", rsa.Version)
	if err != nil || len(proof.Private) == 0 || proof.Key.KID != rsa.KID {
		t.Errorf("Attest = %+v, %v", proof, err)
	}
	one, err := v.Random(ctx, 300)
	two, again := v.Random(ctx, 300)
	if err != nil || again != nil || len(one) != 300 || bytes.Equal(one, two) {
		t.Errorf("Random = %d bytes, %v, %v", len(one), err, again)
	}
	m := must(SymmetricKey(bytes.Repeat([]byte{7}, 32)))
	got, err := v.Import(ctx, ImportSpec{Name: "aes", Material: m, Settings: Settings{Operations: []string{"encrypt"}}})
	if err != nil || got.Type != "oct-HSM" || !slices.Equal(got.Operations, []string{"encrypt"}) {
		t.Errorf("Import = %+v, %v", got, err)
	}
}
