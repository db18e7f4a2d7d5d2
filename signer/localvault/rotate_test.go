package localvault_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer/localvault"
)

func rotate(t *testing.T, c *azkeys.Client, name string) azkeys.KeyBundle {
	t.Helper()
	made, err := c.RotateKey(t.Context(), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return made.KeyBundle
}

func TestRotate(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		ask  azkeys.CreateKeyParameters
		use  string // an algorithm that fits only such a key
	}{
		{"rsa", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeRSA), PublicExponent: new(int32(3))}, "RS256"},
		{"rsa-3072", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeRSAHSM), KeySize: new(int32(3072))}, "RS256"},
		{"p384", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeEC), Curve: new(azkeys.CurveNameP384)}, "ES384"},
		{"p256k", azkeys.CreateKeyParameters{Kty: new(azkeys.KeyTypeECHSM), Curve: new(azkeys.CurveNameP256K)}, "ES256K"},
	}
	c := client(t, start(t, localvault.Config{}))
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			tc.ask.Tags = map[string]*string{"a": new("b")}
			tc.ask.KeyOps = []*azkeys.KeyOperation{new(azkeys.KeyOperationSign), new(azkeys.KeyOperationVerify)}
			tc.ask.KeyAttributes = &azkeys.KeyAttributes{Expires: new(time.Now().Add(time.Hour))}
			before, err := c.CreateKey(t.Context(), tc.name, tc.ask, nil)
			if err != nil {
				t.Fatal(err)
			}
			after := rotate(t, c, tc.name)
			if *after.Key.KID == *before.Key.KID || string(after.Key.N)+string(after.Key.X) == string(before.Key.N)+string(before.Key.X) {
				t.Errorf("the same key %s", *after.Key.KID)
			}
			if *after.Key.Kty != *before.Key.Kty || string(after.Key.E) != string(before.Key.E) || len(after.Key.N) != len(before.Key.N) || len(after.Key.X) != len(before.Key.X) {
				t.Errorf("another kind: %+v", after.Key)
			}
			if len(after.Key.KeyOps) != 2 || *after.Tags["a"] != "b" || after.Attributes.Expires != nil {
				t.Errorf("key_ops %v, tags %v, expires %v", after.Key.KeyOps, after.Tags, after.Attributes.Expires)
			}
			signAndVerify(t, c, tc.name, tc.use)
		})
	}
	_, err := c.RotateKey(t.Context(), "none", nil)
	wantRefusal(t, err, 404, "KeyNotFound", "")
}

func TestRotateSymmetricKey(t *testing.T) {
	t.Parallel()
	_, c := oneKey(t, localvault.KeySpec{Type: "oct-HSM", Size: 192})
	sealed := cipherCall("wrapKey").must(t, c, parameters("A192KW", make([]byte, 16)))
	rotate(t, c, "k")
	_, err := cipherCall("unwrapKey").with(t, c, parameters("A192KW", sealed.Result))
	wantRefusal(t, err, 400, "BadParameter", "")
	opened, err := c.UnwrapKey(t.Context(), "k", sealed.KID.Version(), parameters("A192KW", sealed.Result), nil)
	if err != nil || len(opened.Result) != 16 {
		t.Errorf("the old version unwraps %x, %v", opened.Result, err)
	}
}

// Rotation draws on the same window as creation, by the kind of key.
func TestRotateIsCharged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(t, start(t, localvault.Config{
			Keys:  []localvault.KeySpec{{Name: "soft", Type: "EC"}, {Name: "hard", Type: "EC-HSM"}},
			Quota: localvault.Quota{Units: 1000},
		}))
		for name, want := range map[string]int{"soft": 20, "hard": 10} {
			done := 0
			for range 30 {
				if _, err := c.RotateKey(t.Context(), name, nil); err != nil {
					wantRefusal(t, err, 429, "Throttled", "")
					break
				}
				done++
			}
			if done != want {
				t.Errorf("%s: %d rotations, want %d", name, done, want)
			}
		}
	})
}

func action(kind, afterCreate, beforeExpiry string) *azkeys.LifetimeAction {
	trigger := &azkeys.LifetimeActionTrigger{}
	if afterCreate != "" {
		trigger.TimeAfterCreate = &afterCreate
	}
	if beforeExpiry != "" {
		trigger.TimeBeforeExpiry = &beforeExpiry
	}
	return &azkeys.LifetimeAction{Action: &azkeys.LifetimeActionType{Type: new(azkeys.KeyRotationPolicyAction(kind))}, Trigger: trigger}
}

func policyOf(expiry string, actions ...*azkeys.LifetimeAction) azkeys.KeyRotationPolicy {
	p := azkeys.KeyRotationPolicy{LifetimeActions: actions}
	if expiry != "" {
		p.Attributes = &azkeys.KeyRotationPolicyAttributes{ExpiryTime: &expiry}
	}
	return p
}

func TestRotationPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := oneKey(t, localvault.KeySpec{Type: "EC"})
		standard, err := c.GetKeyRotationPolicy(t.Context(), "k", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := standard.LifetimeActions; len(got) != 1 || *got[0].Action.Type != "Notify" || *got[0].Trigger.TimeBeforeExpiry != "P30D" || standard.Attributes.ExpiryTime != nil {
			t.Errorf("without a policy: %+v", standard.KeyRotationPolicy)
		}
		if _, err := c.UpdateKeyRotationPolicy(t.Context(), "k", standard.KeyRotationPolicy, nil); err != nil {
			t.Errorf("the policy that was read is refused: %v", err)
		}
		set, err := c.UpdateKeyRotationPolicy(t.Context(), "k", policyOf("P90D", action("rOTATE", "P30D", "")), nil)
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		read, err := c.GetKeyRotationPolicy(t.Context(), "k", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []azkeys.KeyRotationPolicy{set.KeyRotationPolicy, read.KeyRotationPolicy} {
			if *got.ID != memoryURL+"/keys/k/rotationpolicy" || *got.Attributes.ExpiryTime != "P90D" || len(got.LifetimeActions) != 2 ||
				*got.LifetimeActions[0].Action.Type != "Rotate" || *got.LifetimeActions[0].Trigger.TimeAfterCreate != "P30D" {
				t.Errorf("policy %+v", got)
			}
		}
		if got := rotate(t, c, "k").Attributes.Expires; !got.Equal(time.Now().Truncate(time.Second).AddDate(0, 0, 90)) {
			t.Errorf("the new version expires %v", got)
		}
		_, err = c.GetKeyRotationPolicy(t.Context(), "none", nil)
		wantRefusal(t, err, 404, "KeyNotFound", "")
	})
}

func TestRotationPolicyRules(t *testing.T) {
	t.Parallel()
	_, c := oneKey(t, localvault.KeySpec{Type: "EC"})
	cases := []struct {
		policy azkeys.KeyRotationPolicy
		good   bool
	}{
		{policyOf(""), true},
		{policyOf("P28D"), true}, {policyOf("P4W"), true}, {policyOf("P1M"), true}, {policyOf("P1Y10D"), true}, {policyOf("PT672H"), true}, {policyOf("P27DT24H"), true},
		{policyOf("P27D"), false}, {policyOf("PT48H"), false}, {policyOf("P27DT23H59M59S"), false},
		{policyOf("90"), false}, {policyOf("P"), false}, {policyOf("PT"), false}, {policyOf("P90DT"), false}, {policyOf("P-90D"), false},
		{policyOf("P1D1M"), false}, {policyOf("P90D90D"), false}, {policyOf("P90"), false}, {policyOf("PD"), false}, {policyOf("P1.5Y"), false},
		{policyOf("P999999Y"), false}, {policyOf("P90H"), false}, {policyOf("p90d"), false}, {policyOf("P90D "), false},
		{policyOf("P90D", action("Rotate", "", "P30D"), action("Notify", "", "P15D")), true},
		{policyOf("", action("Rotate", "P60D", "")), true},
		{policyOf("P90D", action("Rotate", "P83D", "")), true},
		{policyOf("P90D", action("Rotate", "P84D", "")), false},
		{policyOf("P90D", action("Rotate", "P6D", "")), false},
		{policyOf("P90D", action("Rotate", "", "P6D")), false},
		{policyOf("P90D", action("Rotate", "", "P84D")), false},
		{policyOf("", action("Rotate", "", "P30D")), false},
		{policyOf("P90D", action("Rotate", "P30D", "P30D")), false},
		{policyOf("P90D", action("Rotate", "", "")), false},
		{policyOf("P90D", action("Rotate", "soon", "")), false},
		{policyOf("P90D", action("Notify", "P30D", "")), false},
		{policyOf("P90D", action("Dance", "", "P30D")), false},
		{policyOf("P90D", action("Rotate", "P30D", ""), action("rotate", "P30D", "")), false},
	}
	for _, tc := range cases {
		expiry := ""
		if tc.policy.Attributes != nil {
			expiry = *tc.policy.Attributes.ExpiryTime
		}
		t.Run(fmt.Sprintf("%s with %d actions", expiry, len(tc.policy.LifetimeActions)), func(t *testing.T) {
			_, err := c.UpdateKeyRotationPolicy(t.Context(), "k", tc.policy, nil)
			if tc.good && err != nil {
				t.Errorf("refused: %v", err)
			}
			if !tc.good {
				wantRefusal(t, err, 400, "BadParameter", "")
			}
		})
	}
}
