package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/spf13/cobra"
)

// Identifiers of nobody.
const (
	someTenant   = "11111111-1111-1111-1111-111111111111"
	otherTenant  = "22222222-2222-2222-2222-222222222222"
	someClient   = "33333333-3333-3333-3333-333333333333"
	someResource = "/subscriptions/0/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mill"
)

// setIdentityEnv leaves nothing of the environment but what is given.
func setIdentityEnv(t *testing.T, env map[string]string) {
	t.Helper()
	for name := range environment() {
		if strings.HasPrefix(name, "AZURE_") || strings.HasPrefix(name, "IDENTITY_") || strings.HasPrefix(name, "MSI_") {
			t.Setenv(name, "")
			os.Unsetenv(name) //nolint:errcheck // Setenv above brings it back
		}
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
}

// identityOf reads flags as a command does.
func identityOf(t *testing.T, args ...string) identityFlags {
	t.Helper()
	var i identityFlags
	cmd := &cobra.Command{Use: "test"}
	i.add(cmd, cmd.Flags())
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return i
}

// writeCertificate writes a certificate with its key in PEM.
func writeCertificate(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return writeTemp(t, "id.pem", string(text))
}

func writeTemp(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWhichCredential(t *testing.T) {
	secret, certificate, token := writeTemp(t, "secret", "s3cret\n"), writeCertificate(t), writeTemp(t, "token", "a.b.c")
	who := map[string]string{"AZURE_TENANT_ID": someTenant, "AZURE_CLIENT_ID": someClient}
	with := func(name, value string) map[string]string {
		env := maps.Clone(who)
		env[name] = value
		return env
	}
	named := []string{"--tenant", someTenant, "--client-id", someClient}
	tests := map[string]struct {
		args []string
		env  map[string]string
		want string // the type
	}{
		"nothing":                   {nil, nil, "*azidentity.DefaultAzureCredential"},
		"default, tenant":           {[]string{"--tenant", someTenant}, nil, "*azidentity.DefaultAzureCredential"},
		"environment, secret":       {[]string{"--auth", "environment"}, with("AZURE_CLIENT_SECRET", "x"), "*azidentity.EnvironmentCredential"},
		"environment, certificate":  {[]string{"--auth", "environment"}, with("AZURE_CLIENT_CERTIFICATE_PATH", certificate), "*azidentity.EnvironmentCredential"},
		"managed":                   {[]string{"--auth", "managed-identity"}, nil, "*azidentity.ManagedIdentityCredential"},
		"managed, client":           {[]string{"--auth", "managed-identity", "--client-id", someClient}, nil, "*azidentity.ManagedIdentityCredential"},
		"managed, resource":         {[]string{"--auth", "managed-identity", "--identity-resource-id", someResource}, nil, "*azidentity.ManagedIdentityCredential"},
		"workload, variables":       {[]string{"--auth", "workload-identity"}, with("AZURE_FEDERATED_TOKEN_FILE", token), "*azidentity.WorkloadIdentityCredential"},
		"workload, flags":           {append([]string{"--auth", "workload-identity"}, named...), map[string]string{"AZURE_FEDERATED_TOKEN_FILE": token}, "*azidentity.WorkloadIdentityCredential"},
		"secret, variables":         {[]string{"--auth", "client-secret"}, with("AZURE_CLIENT_SECRET", "x"), "*azidentity.ClientSecretCredential"},
		"secret, file":              {append([]string{"--auth", "client-secret", "--client-secret-file", secret}, named...), nil, "*azidentity.ClientSecretCredential"},
		"secret, government":        {[]string{"--auth", "client-secret", "--cloud", "usgovernment"}, with("AZURE_CLIENT_SECRET", "x"), "*azidentity.ClientSecretCredential"},
		"certificate, variables":    {[]string{"--auth", "client-certificate"}, with("AZURE_CLIENT_CERTIFICATE_PATH", certificate), "*azidentity.ClientCertificateCredential"},
		"certificate, flags":        {append([]string{"--auth", "client-certificate", "--client-certificate", certificate}, named...), nil, "*azidentity.ClientCertificateCredential"},
		"cli":                       {[]string{"--auth", "azure-cli"}, nil, "*azidentity.AzureCLICredential"},
		"cli, tenant":               {[]string{"--auth", "azure-cli", "--tenant", someTenant}, nil, "*azidentity.AzureCLICredential"},
		"tenants, one besides ours": {[]string{"--auth", "client-secret"}, map[string]string{"AZURE_TENANT_ID": someTenant, "AZURE_CLIENT_ID": someClient, "AZURE_CLIENT_SECRET": "x", tenantsVariable: otherTenant}, "*azidentity.ClientSecretCredential"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			setIdentityEnv(t, tt.env)
			i := identityOf(t, tt.args...)
			if err := i.check(); err != nil {
				t.Fatal(err)
			}
			c, err := i.credential()
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%T", c); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNoCredential(t *testing.T) {
	empty, junk := writeTemp(t, "empty", "\n"), writeTemp(t, "junk.pem", "junk")
	who := map[string]string{"AZURE_TENANT_ID": someTenant, "AZURE_CLIENT_ID": someClient}
	tests := map[string]struct {
		args []string
		env  map[string]string
		want string
	}{
		"unknown method":          {[]string{"--auth", "magic"}, nil, "use one of azure-cli, client-certificate,"},
		"unknown cloud":           {[]string{"--cloud", "moon"}, nil, "use one of public, usgovernment, china"},
		"environment, none":       {[]string{"--auth", "environment"}, nil, "lacks AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH: set them"},
		"environment, no proof":   {[]string{"--auth", "environment"}, who, "lacks AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH:"},
		"environment, flag":       {[]string{"--auth", "environment", "--tenant", someTenant}, who, "--tenant has no use with --auth environment: set AZURE_TENANT_ID"},
		"default, client":         {[]string{"--client-id", someClient}, nil, "--client-id has no use with --auth default: set AZURE_CLIENT_ID, or name another method"},
		"managed, tenant":         {[]string{"--auth", "managed-identity", "--tenant", someTenant}, nil, "leave it out, or use --auth"},
		"managed, both":           {[]string{"--auth", "managed-identity", "--client-id", someClient, "--identity-resource-id", someResource}, nil, "exclude each other"},
		"managed, bare name":      {[]string{"--auth", "managed-identity", "--identity-resource-id", "mill"}, nil, "use the whole resource id"},
		"workload, none":          {[]string{"--auth", "workload-identity"}, nil, "lacks AZURE_CLIENT_ID or --client-id, AZURE_TENANT_ID or --tenant, AZURE_FEDERATED_TOKEN_FILE: the webhook"},
		"workload, no file":       {[]string{"--auth", "workload-identity"}, map[string]string{"AZURE_TENANT_ID": someTenant, "AZURE_CLIENT_ID": someClient, "AZURE_FEDERATED_TOKEN_FILE": "/nowhere/token"}, "AZURE_FEDERATED_TOKEN_FILE: stat /nowhere/token"},
		"secret, none":            {[]string{"--auth", "client-secret"}, who, "lacks AZURE_CLIENT_SECRET or --client-secret-file: set them"},
		"secret, empty file":      {[]string{"--auth", "client-secret", "--client-secret-file", empty}, who, "the file is empty"},
		"secret, no file":         {[]string{"--auth", "client-secret", "--client-secret-file", "/nowhere/secret"}, who, "--client-secret-file: open /nowhere/secret"},
		"secret, silly tenant":    {[]string{"--auth", "client-secret", "--tenant", "a b"}, map[string]string{"AZURE_CLIENT_ID": someClient, "AZURE_CLIENT_SECRET": "x"}, "azure identity: invalid tenantID"},
		"certificate, none":       {[]string{"--auth", "client-certificate"}, who, "lacks AZURE_CLIENT_CERTIFICATE_PATH or --client-certificate"},
		"certificate, junk":       {[]string{"--auth", "client-certificate", "--client-certificate", junk}, who, "AZURE_CLIENT_CERTIFICATE_PASSWORD"},
		"certificate, no file":    {[]string{"--auth", "client-certificate", "--client-certificate", "/nowhere/c"}, who, "client certificate: open /nowhere/c"},
		"every tenant":            {nil, map[string]string{tenantsVariable: "*"}, "wildcard"},
		"every tenant, in a list": {[]string{"--auth", "azure-cli"}, map[string]string{tenantsVariable: someTenant + "; *"}, "list the tenants"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			setIdentityEnv(t, tt.env)
			i := identityOf(t, tt.args...)
			err := i.check()
			if err == nil {
				_, err = i.credential()
			}
			var e *exit
			if !errors.As(err, &e) || e.code != exitUsage || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a usage error with %q", err, tt.want)
			}
		})
	}
}

// TestForeignTenant asks each credential for a token of a tenant that nobody
// named: it refuses before it asks anybody.
func TestForeignTenant(t *testing.T) {
	token := writeTemp(t, "token", "a.b.c")
	env := map[string]string{
		"AZURE_TENANT_ID": someTenant, "AZURE_CLIENT_ID": someClient, "AZURE_CLIENT_SECRET": "x",
		"AZURE_CLIENT_CERTIFICATE_PATH": writeCertificate(t), "AZURE_FEDERATED_TOKEN_FILE": token,
		tenantsVariable: "44444444-4444-4444-4444-444444444444", "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
	}
	for _, method := range authNames() {
		if method == authManagedIdentity { // it has the machine's tenant, and looks at no other
			continue
		}
		t.Run(method, func(t *testing.T) {
			setIdentityEnv(t, env)
			c, err := identityOf(t, "--auth", method).credential()
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}, TenantID: otherTenant})
			if err == nil || !strings.Contains(err.Error(), otherTenant) {
				t.Errorf("got %v, want a refusal that names the tenant", err)
			}
		})
	}
}

// TestManagedIdentityNames looks at what an identity endpoint is asked for. Each
// case has an identity of its own, for tokens are kept for the whole process.
func TestManagedIdentityNames(t *testing.T) {
	tests := map[string]struct {
		args []string
		env  map[string]string
		want [2]string // parameter and value
	}{
		"by flag":     {[]string{"--client-id", someClient}, nil, [2]string{"client_id", someClient}},
		"by variable": {nil, map[string]string{"AZURE_CLIENT_ID": otherTenant}, [2]string{"client_id", otherTenant}},
		"by resource": {[]string{"--identity-resource-id", someResource}, map[string]string{"AZURE_CLIENT_ID": someClient}, [2]string{"mi_res_id", someResource}},
		"the machine": {nil, nil, [2]string{"client_id", ""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			asked := make(chan url.Values, 10) // more than there are attempts, so that the server never waits
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked <- r.URL.Query()
				fmt.Fprintf(w, `{"access_token":"a.b.c","expires_on":"%d","resource":"r","token_type":"Bearer"}`, time.Now().Add(time.Hour).Unix()) //nolint:errcheck // the test fails
			}))
			defer server.Close()
			setIdentityEnv(t, tt.env)
			t.Setenv("IDENTITY_ENDPOINT", server.URL)
			t.Setenv("IDENTITY_HEADER", "h")
			c, err := identityOf(t, append([]string{"--auth", "managed-identity"}, tt.args...)...).credential()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			if _, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}}); err != nil {
				t.Fatal(err)
			}
			select {
			case query := <-asked:
				if got := query.Get(tt.want[0]); got != tt.want[1] {
					t.Errorf("%s: got %q, want %q", tt.want[0], got, tt.want[1])
				}
			default:
				t.Error("the endpoint was not asked")
			}
		})
	}
}
