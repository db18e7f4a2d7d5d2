package signer

import (
	"net"
	"strings"
)

// VaultDomains returns the DNS domains of vaults and Managed HSMs in Azure's
// public and sovereign clouds. Nobody else can hold a name under them.
func VaultDomains() []string {
	return []string{
		"vault.azure.net", "managedhsm.azure.net",
		"vault.azure.cn", "managedhsm.azure.cn",
		"vault.usgovcloudapi.net", "managedhsm.usgovcloudapi.net",
		"vault.microsoftazure.de", "managedhsm.microsoftazure.de",
	}
}

// ValidName reports whether a vault could have a key of that name: 1 to 127
// letters, digits and hyphens.
func ValidName(name string) bool {
	return len(name) >= 1 && len(name) <= 127 && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-')
	})
}

// ValidVersion reports whether a key could have that version: 32 hex digits.
func ValidVersion(version string) bool {
	return len(version) == 32 && !strings.ContainsFunc(version, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F')
	})
}

// Loopback reports whether a host name, in lower case and without a port, is
// this machine: localhost, a name under it, or a loopback address.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
