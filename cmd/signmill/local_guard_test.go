package main

import "testing"

func TestMeansAzure(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, value string
		want        bool
	}{
		{"AZURE_TENANT_ID", "x", true},
		{"SIGNMILL_NAMESPACE", "example.servicebus.windows.net", true},
		{"SIGNMILL_VAULT", "https://example.vault.azure.net", true},
		{"SIGNMILL_VAULT", "https://localhost.example.org", true},
		{"SIGNMILL_VAULT", "https://127.0.0.1:8443", false},
		{"SIGNMILL_VAULT", "https://[::1]:8443", false},
		{"SIGNMILL_VAULT", "https://vault.localhost:8443", false},
		{"IDENTITY_ENDPOINT", "http://169.254.130.1:8081/msi/token", true},
		{"IDENTITY_ENDPOINT", "http://127.0.0.1:8443/msi/token", false},
		{"SIGNMILL_CONNECTION_STRING", "Endpoint=sb://example.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=k", true},
		{"SIGNMILL_CONNECTION_STRING", emulator("localhost"), false},
		{"SIGNMILL_ALG", "ES256", false},
		{"HOME", "/root", false},
	}
	for _, tt := range tests {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Parallel()
			if got := meansAzure(tt.name, tt.value); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}
