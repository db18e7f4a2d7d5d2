package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/quota"
)

// kind is a type of key by the name that people give it, such as
// RSA-HSM-4096.
type kind struct {
	Name  string
	Class quota.Class
}

// kinds lists the types of keys that a vault holds.
func kinds() []kind {
	var all []kind
	for _, hsm := range []bool{false, true} {
		place := ""
		if hsm {
			place = "HSM-"
		}
		for _, bits := range []int{2048, 3072, 4096} {
			all = append(all, kind{"RSA-" + place + strconv.Itoa(bits), quota.Class{Type: quota.RSA, Bits: bits, HSM: hsm}})
		}
		for _, curve := range []string{"P-256", "P-384", "P-521", "P-256K"} {
			all = append(all, kind{"EC-" + place + strings.ReplaceAll(curve, "-", ""), quota.Class{Type: quota.EC, Curve: curve, HSM: hsm}})
		}
	}
	return append(all, kind{"oct-HSM", quota.Class{Type: quota.Oct, HSM: true}})
}

func kindNames() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.Name)
	}
	return names
}

// parseKind reads the name of a kind, in any case.
func parseKind(flag, text string) (kind, error) {
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return strings.EqualFold(k.Name, text) })
	if i < 0 {
		return kind{}, usagef("--%s %q: use one of %s", flag, text, strings.Join(kindNames(), ", "))
	}
	return all[i], nil
}

// kindOf returns the kind of a key of a vault. One that is on no list costs as
// much as the dearest.
func kindOf(k keyvault.KeyInfo) kind {
	family, hsm := strings.CutSuffix(k.Type, "-HSM")
	for _, known := range kinds() {
		c := known.Class
		if c.HSM == hsm && (family == "RSA" && c.Type == quota.RSA && c.Bits == k.Size ||
			family == "EC" && c.Type == quota.EC && c.Curve == k.Curve ||
			family == "oct" && c.Type == quota.Oct) {
			return known
		}
	}
	return kind{strings.ReplaceAll(typeText(k), " ", "-"), quota.Class{HSM: hsm}}
}
