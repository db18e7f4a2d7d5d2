package policy

import (
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/signmill/signmill/queue"
)

// FuzzParse reads any file. One that is accepted is one that the JSON Schema
// accepts, holds together, and sends no token elsewhere.
func FuzzParse(f *testing.F) {
	for _, e := range corpus() {
		f.Add(e.text(f))
	}
	f.Add(Example())
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("{version: signmill.policy/v1, vaults: {a: {url: 'https://b.vault.azure.net'}}, keys: {c: {vault: a, key: d}}}"))
	js := compileSchema(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data, Options{})
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a word")
			}
			return
		}
		if err := schemaSays(t, js, data); err != nil {
			t.Errorf("the schema refuses what the decoder accepts: %v", err)
		}
		for name, v := range file.Vaults {
			if address, wrong := vaultURL(v.URL, false); wrong != "" || address != v.URL {
				t.Errorf("vault %s: %q %s", name, v.URL, wrong)
			}
		}
		for alias, k := range file.Keys {
			if file.Ref(k).Vault == "" || len(k.operations()) == 0 {
				t.Errorf("key %s: %+v", alias, k)
			}
		}
	})
}

// FuzzClaim takes any claim. Only the one that was signed is believed, in
// whatever spelling of base64.
func FuzzClaim(f *testing.F) {
	c := claimed(f)
	good := sign(f, jwt.SigningMethodEdDSA, c.private, says(c.message, nil), nil)
	want, _ := readClaim(withClaim(c, good))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(sign(f, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, says(c.message, nil), nil))
	f.Add("e30.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		if c.decide(text) != nil {
			return
		}
		got, refusal := readClaim(withClaim(c, text))
		if refusal != nil || got.said.SHA256 != want.said.SHA256 || got.said.ID != want.said.ID {
			t.Errorf("%q is believed", text)
		}
	})
}

func withClaim(c crm, text string) queue.Message {
	c.message.Properties = map[string]any{ClaimProperty: text}
	return c.message
}
