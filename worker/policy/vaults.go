package policy

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// mostUnits bounds quotas and prices. It is far above what any vault allows.
const mostUnits = 10_000_000

// vault reads one entry of vaults.
func (r *reader) vault(n *yaml.Node, at string) Vault {
	v := Vault{Quota: r.options.Quota, Share: r.options.Share}
	r.object(n, at,
		field{"url", true, func(n *yaml.Node, at string) { v.URL = r.url(n, at) }},
		field{"quota", false, func(n *yaml.Node, at string) { v.Quota = quota.Units(r.number(n, at, 0, mostUnits)) }},
		field{"share", false, func(n *yaml.Node, at string) { v.Share = r.share(n, at) }},
		field{"costs", false, func(n *yaml.Node, at string) { v.Costs = r.costs(n, at) }},
	)
	return v
}

// url reads a vault's URL and says what keeps it from being one.
func (r *reader) url(n *yaml.Node, at string) string {
	text := r.text(n, at)
	if text == "" {
		return ""
	}
	address, wrong := vaultURL(text, r.options.Local)
	if wrong != "" {
		r.fault(n, at, "%s %s; write it as https://example.vault.azure.net", quoted(text), wrong)
	}
	return address
}

// label is one part of a host's name.
var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// vaultURL returns a vault's base URL without a slash at its end, or what is
// wrong with it. The worker sends a token to whatever this lets pass.
func vaultURL(text string, local bool) (address, wrong string) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "is no URL"
	}
	host := u.Hostname()
	switch loopback := signer.Loopback(host); {
	case u.User != nil:
		return "", "names a user"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#"):
		return "", "has a query or a fragment"
	case u.Opaque != "" || host == "":
		return "", "names no host"
	case u.Path != "" && u.Path != "/":
		return "", "has a path"
	case loopback && !local:
		return "", "is on this machine, and such a vault serves only beside a broker on this machine"
	case loopback && u.Scheme != "https" && u.Scheme != "http", !loopback && u.Scheme != "https":
		return "", "is not https"
	case loopback:
		return u.Scheme + "://" + u.Host, ""
	case u.Host != host:
		return "", "names a port"
	case !inAzure(host):
		return "", "is not under a domain of Key Vault or Managed HSM (" + strings.Join(signer.VaultDomains(), ", ") + "), and gets no token"
	}
	return "https://" + host, ""
}

// inAzure reports whether host is a name in lower case under a domain of vaults.
func inAzure(host string) bool {
	return slices.ContainsFunc(signer.VaultDomains(), func(domain string) bool {
		names, found := strings.CutSuffix(host, "."+domain)
		return found && !slices.ContainsFunc(strings.Split(names, "."), func(l string) bool { return !label.MatchString(l) })
	})
}

// shareForm is the form of a share. What is behind it, Options.IsShare judges.
var shareForm = regexp.MustCompile(`^(static:[1-9][0-9]{0,5}|dns:[^\s,]+(,[0-9a-zµ.]+)?|rediss?(\+cluster|\+sentinel)?://\S+)$`)

func (r *reader) share(n *yaml.Node, at string) string {
	text := r.text(n, at)
	switch {
	case text == "":
	case !shareForm.MatchString(text): // which may hold a password by mistake
		r.fault(n, at, "this is no share: use static:N, dns:NAME, dns:NAME,AGE, or the URL of a Redis or Valkey")
	case r.options.IsShare != nil:
		if err := r.options.IsShare(text); err != nil {
			r.fault(n, at, "%s", err)
		}
	}
	return text
}

// costs reads the prices that differ from the documented ones.
func (r *reader) costs(n *yaml.Node, at string) quota.Costs {
	costs := quota.Costs{}
	const most = 50
	r.list(n, at, most, func(n *yaml.Node, at string) {
		class, units := r.cost(n, at)
		if _, twice := costs[class]; twice {
			r.fault(n, at, "another entry has the price of this type of key already")
		}
		costs[class] = units
	})
	return costs
}

func curves() []string { return []string{"P-256", "P-384", "P-521", "P-256K"} }

// cost reads one price.
func (r *reader) cost(n *yaml.Node, at string) (class quota.Class, units quota.Units) {
	var kind string
	ok := r.object(n, at,
		field{"type", true, func(n *yaml.Node, at string) { kind = oneOf(r, n, at, []string{"RSA", "EC", "oct"}) }},
		field{"bits", false, func(n *yaml.Node, at string) { class.Bits = r.number(n, at, 128, 16384) }},
		field{"curve", false, func(n *yaml.Node, at string) { class.Curve = oneOf(r, n, at, curves()) }},
		field{"hsm", false, func(n *yaml.Node, at string) { class.HSM = r.yes(n, at) }},
		field{"units", true, func(n *yaml.Node, at string) { units = quota.Units(r.number(n, at, 1, mostUnits)) }},
	)
	class.Type = map[string]quota.KeyType{"RSA": quota.RSA, "EC": quota.EC, "oct": quota.Oct}[kind]
	switch {
	case !ok || kind == "":
	case kind == "EC" && (class.Curve == "" || class.Bits != 0):
		r.fault(n, at, "an EC key is told by its curve: write curve, and no bits")
	case kind == "RSA" && (class.Curve != "" || class.Bits == 0):
		r.fault(n, at, "an RSA key is told by its size: write bits, and no curve")
	case kind == "oct" && (class.Curve != "" || class.Bits != 0):
		r.fault(n, at, "symmetric keys of all sizes cost the same: write neither bits nor curve")
	}
	return class, units
}
