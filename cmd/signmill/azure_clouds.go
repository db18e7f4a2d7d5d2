package main

import (
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/signmill/signmill/signer"
)

// The clouds, as values of --cloud.
const (
	cloudPublic       = "public"
	cloudUSGovernment = "usgovernment"
	cloudChina        = "china"
)

// azureCloud is one of Azure's clouds.
type azureCloud struct {
	name    string
	login   cloud.Configuration // the credential's authority; the scopes follow from the vault's challenge
	bus     string              // the domain of namespaces
	domains []string            // of vaults and Managed HSMs
}

// azureClouds returns the clouds there are. The public one leaves the
// authority open, so that AZURE_AUTHORITY_HOST counts as in other tools.
func azureClouds() []azureCloud {
	return []azureCloud{
		{cloudPublic, cloud.Configuration{}, "servicebus.windows.net", []string{"vault.azure.net", "managedhsm.azure.net"}},
		{cloudUSGovernment, cloud.AzureGovernment, "servicebus.usgovcloudapi.net", []string{"vault.usgovcloudapi.net", "managedhsm.usgovcloudapi.net"}},
		{cloudChina, cloud.AzureChina, "servicebus.chinacloudapi.cn", []string{"vault.azure.cn", "managedhsm.azure.cn"}},
	}
}

func cloudNames() []string {
	var names []string
	for _, c := range azureClouds() {
		names = append(names, c.name)
	}
	return names
}

// cloudNamed returns the cloud of a name that was checked.
func cloudNamed(name string) azureCloud {
	all := azureClouds()
	return all[max(0, slices.IndexFunc(all, func(c azureCloud) bool { return c.name == name }))]
}

// checkNamespace refuses a namespace that gets a token and is not of this
// cloud: either the token would be worthless there, or the host not Azure's.
func (c azureCloud) checkNamespace(host string) error {
	name := strings.ToLower(host)
	if !strings.Contains(name, ".") && !signer.Loopback(name) {
		return usagef("--namespace %q: use the whole name, such as %s.%s", host, host, c.bus)
	}
	if signer.Loopback(name) || below(name, c.bus) {
		return nil
	}
	for _, other := range azureClouds() {
		if below(name, other.bus) {
			return usagef("--namespace %q is in another cloud: give --cloud %s", host, other.name)
		}
	}
	return usagef("--namespace %q is not below %s, and gets no token: give the namespace's own name, also where it has a private endpoint", host, c.bus)
}

// checkVault refuses a vault of another cloud. What is no vault at all is
// refused where vaults are known.
func (c azureCloud) checkVault(url string) error {
	_, host, _ := strings.Cut(strings.ToLower(strings.TrimRight(url, "/")), "://")
	for _, other := range azureClouds() {
		for _, domain := range other.domains {
			if below(host, domain) && other.name != c.name {
				return usagef("--vault %q is in another cloud: give --cloud %s", url, other.name)
			}
		}
	}
	return nil
}

// below reports whether host is a name in a domain.
func below(host, domain string) bool { return strings.HasSuffix(host, "."+domain) }
