package localvault_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

func remove(t *testing.T, c *azkeys.Client, name string) azkeys.DeletedKey {
	t.Helper()
	deleted, err := c.DeleteKey(t.Context(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return deleted.DeletedKey
}

func TestDeleteAndRecover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, c := oneKey(t, localvault.KeySpec{Type: "EC", Tags: map[string]string{"a": "b"}})
		rotate(t, c, "k")
		before, err := c.GetKey(t.Context(), "k", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now().Truncate(time.Second)
		gone := remove(t, c, "K")
		read, err := c.GetDeletedKey(t.Context(), "k", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []azkeys.DeletedKey{gone, read.DeletedKey} {
			if *got.Key.KID != *before.Key.KID || *got.RecoveryID != memoryURL+"/deletedkeys/k" || *got.Tags["a"] != "b" ||
				!got.DeletedDate.Equal(now) || !got.ScheduledPurgeDate.Equal(now.AddDate(0, 0, 90)) || !got.Attributes.Updated.Equal(*before.Attributes.Updated) {
				t.Errorf("deleted key %+v", got)
			}
		}
		wantGone(t, c, "k", before.Key.KID.Version())
		back, err := c.RecoverDeletedKey(t.Context(), "k", nil)
		if err != nil || *back.Key.KID != *before.Key.KID || *back.Tags["a"] != "b" {
			t.Errorf("recovered %+v, %v", back.Key, err)
		}
		signAndVerify(t, c, "k", "ES256")
		rotate(t, c, "k")
		if got := listVersions(t, c, "k"); len(got) != 3 || got[1] != before.Key.KID.Version() {
			t.Errorf("versions %v", got)
		}
		_, err = c.GetDeletedKey(t.Context(), "k", nil)
		wantRefusal(t, err, 404, "KeyNotFound", "")
	})
}

// wantGone asks everything of a deleted key that only a live one answers.
func wantGone(t *testing.T, c *azkeys.Client, name, version string) {
	t.Helper()
	ctx := t.Context()
	_, err := c.GetKey(ctx, name, "", nil)
	wantRefusal(t, err, 404, "KeyNotFound", "")
	wantRefusal(t, signWith(ctx, c, name, version, "ES256", make([]byte, 32)), 404, "KeyNotFound", "")
	_, err = c.RotateKey(ctx, name, nil)
	wantRefusal(t, err, 404, "KeyNotFound", "")
	_, err = c.DeleteKey(ctx, name, nil)
	wantRefusal(t, err, 404, "KeyNotFound", "")
	_, err = c.NewListKeyPropertiesVersionsPager(name, nil).NextPage(ctx)
	wantRefusal(t, err, 404, "KeyNotFound", "")
	_, err = c.CreateKey(ctx, strings.ToUpper(name), azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeEC)}, nil)
	wantRefusal(t, err, 409, "Conflict", "ObjectIsDeletedButRecoverable")
	_, err = c.ImportKey(ctx, name, azkeys.ImportKeyParameters{Key: koblitzJWK(t)}, nil)
	wantRefusal(t, err, 409, "Conflict", "ObjectIsDeletedButRecoverable")
}

func listVersions(t *testing.T, c *azkeys.Client, name string) (ids []string) {
	t.Helper()
	for pager := c.NewListKeyPropertiesVersionsPager(name, nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Value {
			ids = append(ids, v.KID.Version())
		}
	}
	return ids
}

// A key goes for good by request, or on its date and not a second before.
func TestPurge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, c := oneKey(t, localvault.KeySpec{Type: "EC"})
		purge := func() error {
			_, err := c.PurgeDeletedKey(t.Context(), "k", nil)
			return err
		}
		wantRefusal(t, purge(), 404, "KeyNotFound", "")
		remove(t, c, "k")
		if err := purge(); err != nil {
			t.Fatal(err)
		}
		create := func() error {
			_, err := c.CreateKey(t.Context(), "k", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeEC)}, nil)
			return err
		}
		if err := create(); err != nil {
			t.Fatalf("after the purge: %v", err)
		}
		if got := listVersions(t, c, "k"); len(got) != 1 {
			t.Errorf("versions %v of a purged key", got)
		}
		deleted := remove(t, c, "k")
		<-time.After(time.Until(*deleted.ScheduledPurgeDate) - time.Second)
		wantRefusal(t, create(), 409, "Conflict", "ObjectIsDeletedButRecoverable")
		<-time.After(2 * time.Second)
		_, err := c.RecoverDeletedKey(t.Context(), "k", nil)
		wantRefusal(t, err, 404, "KeyNotFound", "")
		if err := create(); err != nil {
			t.Errorf("after the date: %v", err)
		}
		if got := server.Stats().Operations; got["purge"] != 1 || got["delete"] != 2 {
			t.Errorf("counts %v", got)
		}
	})
}

func TestListDeleted(t *testing.T) {
	t.Parallel()
	var cfg localvault.Config
	var want []string
	for i := range 30 {
		name := fmt.Sprintf("Key-%02d", i)
		cfg.Keys = append(cfg.Keys, localvault.KeySpec{Name: name, Type: "EC", Tags: map[string]string{"n": name}})
		want = append(want, name)
	}
	c := client(t, start(t, cfg))
	for _, name := range want {
		remove(t, c, name)
	}
	var got []string
	for pager := c.NewListDeletedKeyPropertiesPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range page.Value {
			got = append(got, k.KID.Name())
			if *k.Tags["n"] != k.KID.Name() || *k.RecoveryID != memoryURL+"/deletedkeys/"+k.KID.Name() || k.DeletedDate == nil || k.ScheduledPurgeDate == nil {
				t.Errorf("item %+v", k)
			}
		}
		if len(got) == 25 { // what the next link names may have gone meanwhile
			if _, err := c.PurgeDeletedKey(t.Context(), got[24], nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v", got)
	}
	page, err := c.NewListKeyPropertiesPager(nil).NextPage(t.Context())
	if err != nil || len(page.Value) != 0 {
		t.Errorf("live keys %v, %v", page.Value, err)
	}
}

// Purging answers 204 with neither body nor type.
func TestPurgeAnswer(t *testing.T) {
	t.Parallel()
	server, c := oneKey(t, localvault.KeySpec{Type: "EC"})
	remove(t, c, "k")
	status, header, body := ask(t, server, "DELETE", "/deletedkeys/k?api-version=7.6", "")
	if status != 204 || body != "" || header.Get("Content-Type") != "" || header.Get("Content-Length") != "" || header.Get("X-Ms-Request-Id") == "" {
		t.Errorf("%d %v %q", status, header, body)
	}
}
