package quota

import "testing"

func TestCosts(t *testing.T) {
	t.Parallel()
	rsa := func(bits int, hsm bool) Class { return Class{Type: RSA, Bits: bits, HSM: hsm} }
	own := Costs{rsa(2048, true): 3, rsa(8192, true): 64, {Type: EC, Curve: "P-256"}: 0, {Op: Create, HSM: true}: 100}
	for name, c := range map[string]struct {
		costs Costs
		class Class
		want  Units
	}{
		"software 2048":             {nil, rsa(2048, false), 1},
		"software 3072":             {nil, rsa(3072, false), 4},
		"software 4096":             {nil, rsa(4096, false), 8},
		"HSM 2048":                  {nil, rsa(2048, true), 2},
		"HSM 3072":                  {nil, rsa(3072, true), 8},
		"HSM 4096":                  {nil, rsa(4096, true), 16},
		"software curve":            {nil, Class{Type: EC, Curve: "P-521"}, 1},
		"HSM curve":                 {nil, Class{Type: EC, Curve: "P-256K", HSM: true}, 2},
		"HSM AES":                   {nil, Class{Type: Oct, Bits: 256, HSM: true}, 2},
		"software AES is unknown":   {nil, Class{Type: Oct, Bits: 256}, 16},
		"unknown size":              {nil, rsa(1024, false), 16},
		"unknown curve":             {nil, Class{Type: EC, Curve: "X25519"}, 16},
		"nothing known":             {nil, Class{}, 16},
		"create":                    {nil, Class{Op: Create, HSM: true}, 1},
		"import of an unknown key":  {nil, Class{Op: Import}, 1},
		"replaced":                  {own, rsa(2048, true), 3},
		"not replaced":              {own, rsa(2048, false), 1},
		"replaced by less than one": {own, Class{Type: EC, Curve: "P-256"}, 1},
		"dearest of the own list":   {own, Class{}, 64},
	} {
		if got := c.costs.Of(c.class); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

// TestDocumentedMix is the vendor's own example: 248 operations with HSM
// RSA-4096 keys and 16 with HSM RSA-2048 keys fill a window.
func TestDocumentedMix(t *testing.T) {
	t.Parallel()
	var c Costs
	got := 248*c.Of(Class{Type: RSA, Bits: 4096, HSM: true}) + 16*c.Of(Class{Type: RSA, Bits: 2048, HSM: true})
	if got != KeyUnits {
		t.Errorf("got %d units, want %d", got, KeyUnits)
	}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	for class, want := range map[Class]Units{
		{Type: RSA}: KeyUnits, {Type: RSA, HSM: true}: KeyUnits,
		{Op: Create}: CreateSoftware, {Op: Create, HSM: true}: CreateHSM,
		{Op: Import}: ImportUnits, {Op: Import, HSM: true}: ImportUnits,
	} {
		if got := class.Budget(); got != want {
			t.Errorf("%+v: got %d, want %d", class, got, want)
		}
	}
}
