package keyvault

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// address is a vault's base URL in one spelling: lower case, no default port,
// no slash at the end.
type address struct {
	scheme, host string // host with its port, if any
	local        bool   // a loopback host
}

// String returns the vault's URL, without a path.
func (a address) String() string { return a.scheme + "://" + a.host }

// hsm reports whether a is a Managed HSM.
func (a address) hsm() bool { return strings.Contains(a.host, ".managedhsm.") }

// name returns the first label of the host: the vault's name in Azure.
func (a address) name() string {
	label, _, _ := strings.Cut(a.host, ".")
	return label
}

// keyID is a key identifier, taken apart. No version means the latest.
type keyID struct {
	vault         address
	name, version string
}

// String returns the identifier as the vault writes it: without a version it
// means the latest, without a name the vault.
func (id keyID) String() string {
	if id.name == "" {
		return id.vault.String()
	}
	return strings.TrimSuffix(id.vault.String()+"/keys/"+id.name+"/"+id.version, "/")
}

// same reports whether two identifiers mean the same version of the same key.
// Names in a vault know no case.
func (id keyID) same(other keyID) bool {
	return id.vault == other.vault && strings.EqualFold(id.name, other.name) && id.version == other.version
}

// gate knows the hosts that may be asked and may see a token.
type gate struct {
	domains []string
	local   bool
}

// address parses a vault's base URL and refuses any host that the
// configuration does not admit.
func (g gate) address(raw string) (address, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return address{}, fmt.Errorf("%q is not the base URL of a vault, such as https://example.vault.azure.net", raw)
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	a := address{scheme: u.Scheme, host: host, local: g.local && signer.Loopback(host)}
	if port != "" && !(port == "443" && u.Scheme == "https") {
		a.host = net.JoinHostPort(host, port)
	}
	switch {
	case a.local && (u.Scheme == "http" || u.Scheme == "https"):
		return a, nil
	case u.Scheme != "https":
		return address{}, fmt.Errorf("%q is not an https URL", raw)
	case under(host, g.domains), under(host, signer.VaultDomains()) && a.host == host:
		return a, nil
	}
	return address{}, fmt.Errorf("%q is not under a known domain of Key Vault or Managed HSM, and gets no token", raw)
}

// kid parses a versioned key identifier.
func (g gate) kid(raw string) (keyID, error) {
	base, rest, _ := strings.Cut(raw, "/keys/")
	name, version, _ := strings.Cut(rest, "/")
	if !signer.ValidName(name) || !signer.ValidVersion(version) {
		return keyID{}, fmt.Errorf("%q is not a versioned key identifier", raw)
	}
	vault, err := g.address(base)
	return keyID{vault, name, strings.ToLower(version)}, err
}

// ref checks a key reference and returns it in one spelling.
func (g gate) ref(ref signer.Ref) (keyID, error) {
	vault, err := g.address(ref.Vault)
	switch {
	case err != nil:
	case !signer.ValidName(ref.Name):
		err = fmt.Errorf("%q is not the name of a key: 1 to 127 letters, digits and hyphens", ref.Name)
	case ref.Version != "" && !signer.ValidVersion(ref.Version):
		err = fmt.Errorf("%q is not the version of a key: 32 hex digits", ref.Version)
	}
	if err != nil {
		return keyID{}, &signer.Error{Code: schema.CodeKeyNotFound, Message: err.Error()}
	}
	return keyID{vault, ref.Name, strings.ToLower(ref.Version)}, nil
}

// under reports whether host is a name below one of the domains.
func under(host string, domains []string) bool {
	return slices.ContainsFunc(domains, func(domain string) bool {
		label, found := strings.CutSuffix(host, "."+strings.ToLower(domain))
		return found && label != "" && !strings.HasPrefix(label, ".")
	})
}
