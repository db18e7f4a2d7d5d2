package main

import (
	"strings"
	"testing"
)

func TestCloudHosts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		cloud, namespace, vault string
		want                    string // in the message; "": good
	}{
		{cloudPublic, "example.servicebus.windows.net", "https://example.vault.azure.net", ""},
		{cloudPublic, "Example.ServiceBus.Windows.Net", "https://example.managedhsm.azure.net/", ""},
		{cloudPublic, "localhost", "https://127.0.0.1:8443", ""},
		{cloudUSGovernment, "example.servicebus.usgovcloudapi.net", "https://example.vault.usgovcloudapi.net", ""},
		{cloudChina, "example.servicebus.chinacloudapi.cn", "https://example.vault.azure.cn", ""},
		{cloudPublic, "example", "", "use the whole name, such as example.servicebus.windows.net"},
		{cloudChina, "example", "", "such as example.servicebus.chinacloudapi.cn"},
		{cloudPublic, "example.servicebus.usgovcloudapi.net", "", "give --cloud usgovernment"},
		{cloudPublic, "example.servicebus.windows.net", "https://example.vault.azure.cn", "give --cloud china"},
		{cloudChina, "example.servicebus.chinacloudapi.cn", "https://example.vault.azure.net", "give --cloud public"},
		{cloudPublic, "servicebus.windows.net.example.org", "", "gets no token"},
		{cloudPublic, "servicebus.windows.net", "", "gets no token"},
	}
	for _, tt := range tests {
		c := cloudNamed(tt.cloud)
		err := c.checkNamespace(tt.namespace)
		if err == nil {
			err = c.checkVault(tt.vault)
		}
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s %s: got %v, want %q", tt.cloud, tt.namespace, tt.vault, err, tt.want)
		}
	}
}
