package localvault_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{}))
	cases := []struct {
		name string
		ask  azkeys.CreateKeyParameters
		alg  string
		n, x int // bytes of modulus and coordinate
		e    []byte
	}{
		{"rsa", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeRSA)}, "PS256", 256, 0, []byte{1, 0, 1}},
		{"rsa-3072", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeRSA), KeySize: new(int32(3072))}, "RS256", 384, 0, []byte{1, 0, 1}},
		{"rsa-hsm-e3", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeRSAHSM), PublicExponent: new(int32(3))}, "RS512", 256, 0, []byte{3}},
		{"ec", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeEC)}, "ES256", 0, 32, nil},
		{"ec-384", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeECHSM), Curve: new(azkeys.CurveNameP384)}, "ES384", 0, 48, nil},
		{"ec-521", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeEC), Curve: new(azkeys.CurveNameP521)}, "ES512", 0, 66, nil},
		{"ec-k", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeEC), Curve: new(azkeys.CurveNameP256K)}, "ES256K", 0, 32, nil},
	}
	kid := regexp.MustCompile(`^https://local\.vault\.azure\.net/keys/[a-z0-9-]+/[0-9a-f]{32}$`)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			made, err := c.CreateKey(t.Context(), tc.name, tc.ask, nil)
			if err != nil {
				t.Fatal(err)
			}
			key := made.Key
			if *key.Kty != *tc.ask.Kty || len(key.N) != tc.n || len(key.X) != tc.x || len(key.Y) != tc.x || !slices.Equal(key.E, tc.e) {
				t.Errorf("kty %s, n of %d bytes, x of %d, e %x", *key.Kty, len(key.N), len(key.X), key.E)
			}
			if !kid.MatchString(string(*key.KID)) {
				t.Errorf("kid %s", *key.KID)
			}
			if a := made.Attributes; !*a.Enabled || *a.RecoveryLevel != "Recoverable+Purgeable" || *a.RecoverableDays != 90 || a.Created.IsZero() {
				t.Errorf("attributes %+v", a)
			}
			signAndVerify(t, c, tc.name, tc.alg)
		})
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{}))
	var ids []string
	for i := range 60 {
		name := []string{"Signer", "SIGNER"}[min(i, 1)] // the first spelling stays
		made, err := c.CreateKey(t.Context(), name, azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeEC)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.Key.KID.Version())
	}
	latest, err := c.GetKey(t.Context(), "signer", "", nil) // names do not depend on case
	if err != nil {
		t.Fatal(err)
	}
	if got := latest.Key.KID; got.Version() != ids[59] || got.Name() != "Signer" {
		t.Errorf("latest is %s, want version %s of Signer", *got, ids[59])
	}
	first, err := c.GetKey(t.Context(), "Signer", ids[0], nil)
	if err != nil || first.Key.KID.Version() != ids[0] {
		t.Errorf("first is %v, %v", first.Key, err)
	}
	var listed []string
	for pager := c.NewListKeyPropertiesVersionsPager("Signer", nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Value) > 25 {
			t.Errorf("page of %d", len(page.Value))
		}
		for _, v := range page.Value {
			listed = append(listed, v.KID.Version())
		}
	}
	if !slices.Equal(listed, ids) {
		t.Errorf("listed %v, want %v", listed, ids)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	var cfg localvault.Config
	var want []string
	for i := range 51 {
		name := fmt.Sprintf("key-%02d", i)
		cfg.Keys = append(cfg.Keys, localvault.KeySpec{Name: name, Type: "EC", Tags: map[string]string{"n": name}})
		want = append(want, name)
	}
	c := client(t, start(t, cfg))
	var got []string
	pages := 0
	for pager := c.NewListKeyPropertiesPager(nil); pager.More(); pages++ {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range page.Value {
			got = append(got, k.KID.Name())
			if k.KID.Version() != "" || *k.Tags["n"] != k.KID.Name() || !*k.Attributes.Enabled {
				t.Errorf("item %+v", k)
			}
		}
	}
	if !slices.Equal(got, want) || pages != 3 {
		t.Errorf("%d pages with %v", pages, got)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	c := client(t, start(t, localvault.Config{Keys: []localvault.KeySpec{{Name: "k", Type: "EC", Tags: map[string]string{"a": "1"}}}}))
	until := time.Unix(4_000_000_000, 0)
	changed, err := c.UpdateKey(t.Context(), "k", "", azkeys.UpdateKeyParameters{
		KeyAttributes: &azkeys.KeyAttributes{Expires: &until},
		KeyOps:        []*azkeys.KeyOperation{new(azkeys.KeyOperationVerify)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	read, err := c.GetKey(t.Context(), "k", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []azkeys.KeyBundle{changed.KeyBundle, read.KeyBundle} {
		if !got.Attributes.Expires.Equal(until) || len(got.Key.KeyOps) != 1 || *got.Key.KeyOps[0] != "verify" || *got.Tags["a"] != "1" || !*got.Attributes.Enabled {
			t.Errorf("got exp %v, key_ops %v, tags %v", got.Attributes.Expires, got.Key.KeyOps, got.Tags)
		}
	}
	_, err = c.UpdateKey(t.Context(), "k", "", azkeys.UpdateKeyParameters{Tags: map[string]*string{"b": new("2")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	read, err = c.GetKey(t.Context(), "k", "", nil)
	if err != nil || len(read.Tags) != 1 || *read.Tags["b"] != "2" || len(read.Key.KeyOps) != 1 {
		t.Errorf("tags %v, key_ops %v, %v", read.Tags, read.Key.KeyOps, err)
	}
}

func TestConfigNamesAllFaults(t *testing.T) {
	t.Parallel()
	_, err := localvault.New(localvault.Config{ManagedHSM: true, Keys: []localvault.KeySpec{
		{Name: "soft", Type: "RSA"},
		{Name: "odd", Type: "RSA-HSM", Size: 1024},
		{Name: "under_score", Type: "EC-HSM"},
		{Name: "bent", Type: "EC-HSM", Curve: "P-224"},
		{Name: "ops", Type: "EC-HSM", Ops: []string{"dance"}},
		{Name: "round", Type: "RSA-HSM", Curve: "P-256"},
		{Name: "good", Type: "EC-HSM"},
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"soft", "odd", "under_score", "bent", "ops", "round"} {
		if !strings.Contains(err.Error(), `"`+name+`"`) {
			t.Errorf("%v\ndoes not name %s", err, name)
		}
	}
	if strings.Contains(err.Error(), "good") {
		t.Errorf("%v\nnames a key without fault", err)
	}
}
