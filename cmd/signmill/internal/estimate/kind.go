package estimate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/signmill/signmill/signer/quota"
)

// Kind is a type of key by the name that people give it, such as
// RSA-HSM-4096.
type Kind struct {
	Name  string
	Class quota.Class
}

// Kinds lists the types of keys that a vault holds.
func Kinds() []Kind {
	var all []Kind
	for _, hsm := range []bool{false, true} {
		place := ""
		if hsm {
			place = "HSM-"
		}
		for _, bits := range []int{2048, 3072, 4096} {
			all = append(all, Kind{"RSA-" + place + strconv.Itoa(bits), quota.Class{Type: quota.RSA, Bits: bits, HSM: hsm}})
		}
		for _, curve := range []string{"P-256", "P-384", "P-521", "P-256K"} {
			all = append(all, Kind{"EC-" + place + strings.ReplaceAll(curve, "-", ""), quota.Class{Type: quota.EC, Curve: curve, HSM: hsm}})
		}
	}
	return append(all, Kind{"oct-HSM", quota.Class{Type: quota.Oct, HSM: true}})
}

// KindNames lists their names.
func KindNames() []string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// ParseKind reads the name of a kind, in any case. Its error lists the names.
func ParseKind(text string) (Kind, error) {
	all := Kinds()
	i := slices.IndexFunc(all, func(k Kind) bool { return strings.EqualFold(k.Name, text) })
	if i < 0 {
		return Kind{}, fmt.Errorf("%q: use one of %s", text, strings.Join(KindNames(), ", "))
	}
	return all[i], nil
}
