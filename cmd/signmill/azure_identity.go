package main

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// identityFlags say who this process is towards Azure. No flag holds a secret.
type identityFlags struct {
	method      string // one of authMethods
	clientID    string
	resourceID  string
	tenant      string
	cloud       string // one of cloudNames
	secretFile  string
	certificate string // path of a file
}

// The ways to get a token, as values of --auth.
const (
	authDefault           = "default"
	authEnvironment       = "environment"
	authManagedIdentity   = "managed-identity"
	authWorkloadIdentity  = "workload-identity"
	authClientSecret      = "client-secret"
	authClientCertificate = "client-certificate"
	authAzureCLI          = "azure-cli"
)

// authMethods returns the values of --auth, and which of the other flags have
// a use with each.
func authMethods() map[string][]string {
	return map[string][]string{
		authDefault:           {"tenant"},
		authEnvironment:       nil,
		authManagedIdentity:   {"client-id", "identity-resource-id"},
		authWorkloadIdentity:  {"client-id", "tenant"},
		authClientSecret:      {"client-id", "tenant", "client-secret-file"},
		authClientCertificate: {"client-id", "tenant", "client-certificate"},
		authAzureCLI:          {"tenant"},
	}
}

func authNames() []string { return slices.Sorted(maps.Keys(authMethods())) }

// add puts the flags into f, which is a set of cmd's.
func (i *identityFlags) add(cmd *cobra.Command, f *pflag.FlagSet) {
	f.StringVar(&i.method, "auth", authDefault, "how to get a token, as `METHOD`: "+strings.Join(authNames(), ", "))
	f.StringVar(&i.clientID, "client-id", "", "the client `ID` of the identity (default AZURE_CLIENT_ID)")
	f.StringVar(&i.resourceID, "identity-resource-id", "", "the resource `ID` of a user-assigned managed identity, instead of --client-id")
	f.StringVar(&i.tenant, "tenant", "", "the `ID` of the identity's tenant (default AZURE_TENANT_ID)")
	f.StringVar(&i.cloud, "cloud", cloudPublic, "the `CLOUD` that broker, vault and identity belong to: "+strings.Join(cloudNames(), ", "))
	f.StringVar(&i.secretFile, "client-secret-file", "", "a `FILE` with the client secret, instead of AZURE_CLIENT_SECRET")
	f.StringVar(&i.certificate, "client-certificate", "", "a `FILE` with certificate and private key in PEM or PKCS #12 (default AZURE_CLIENT_CERTIFICATE_PATH); its password is AZURE_CLIENT_CERTIFICATE_PASSWORD")
	completeFlag(cmd, "auth", authNames())
	completeFlag(cmd, "cloud", cloudNames())
}

// check refuses flags that are unknown or without use, so that nobody believes
// in an identity that is not the one used.
func (i identityFlags) check() error {
	useful, known := authMethods()[i.method]
	if !known {
		return usagef("--auth %q: use one of %s", i.method, strings.Join(authNames(), ", "))
	}
	if !slices.Contains(cloudNames(), i.cloud) {
		return usagef("--cloud %q: use one of %s", i.cloud, strings.Join(cloudNames(), ", "))
	}
	given := []struct{ flag, value string }{
		{"client-id", i.clientID}, {"identity-resource-id", i.resourceID}, {"tenant", i.tenant},
		{"client-secret-file", i.secretFile}, {"client-certificate", i.certificate},
	}
	for _, g := range given {
		if g.value != "" && !slices.Contains(useful, g.flag) {
			return usagef("--%s has no use with --auth %s: %s", g.flag, i.method, instead(i.method, g.flag))
		}
	}
	if i.clientID != "" && i.resourceID != "" {
		return usagef("--client-id and --identity-resource-id exclude each other")
	}
	if i.resourceID != "" && !strings.HasPrefix(strings.ToLower(i.resourceID), "/subscriptions/") {
		return usagef("--identity-resource-id %q: use the whole resource id, such as /subscriptions/…/userAssignedIdentities/NAME; find it with: az identity list --query [].id", i.resourceID)
	}
	return checkTenants(environment())
}

// instead says what to do about a flag that a method has no use for.
func instead(method, flag string) string {
	variable := map[string]string{
		"client-id": "AZURE_CLIENT_ID", "tenant": "AZURE_TENANT_ID",
		"client-secret-file": "AZURE_CLIENT_SECRET", "client-certificate": "AZURE_CLIENT_CERTIFICATE_PATH",
	}[flag]
	if variable != "" && (method == authDefault || method == authEnvironment) {
		return "set " + variable + ", or name another method"
	}
	var methods []string
	for _, m := range authNames() {
		if slices.Contains(authMethods()[m], flag) {
			methods = append(methods, m)
		}
	}
	return "leave it out, or use --auth " + strings.Join(methods, " or ")
}

// tenantsVariable lists tenants besides the identity's own.
const tenantsVariable = "AZURE_ADDITIONALLY_ALLOWED_TENANTS"

// checkTenants refuses the wildcard: with it whoever answers in a vault's
// place could ask for a token of any tenant.
func checkTenants(env map[string]string) error {
	if slices.Contains(otherTenants(env), "*") {
		return usagef("%s has the wildcard *, with which any tenant could ask for our tokens: list the tenants, separated by semicolons", tenantsVariable)
	}
	return nil
}

// otherTenants returns the tenants that may be asked besides our own.
func otherTenants(env map[string]string) []string {
	var tenants []string
	for name := range strings.SplitSeq(env[tenantsVariable], ";") {
		if name = strings.TrimSpace(name); name != "" {
			tenants = append(tenants, name)
		}
	}
	return tenants
}

// readSecret returns the client secret: from the file, or the variable.
func (i identityFlags) readSecret(env map[string]string) (string, error) {
	if i.secretFile == "" {
		return env["AZURE_CLIENT_SECRET"], nil
	}
	text, err := os.ReadFile(i.secretFile)
	if err != nil {
		return "", usagef("--client-secret-file: %w", display.Error(err))
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", usagef("--client-secret-file %s: the file is empty", display.OneLine(i.secretFile))
	}
	return secret, nil
}
