package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// credential returns the identity of this process, one for broker and vault,
// so that its tokens are asked for once. It asks for nothing yet. Every fault
// is one of the command line or the environment, and says what is missing.
func (i identityFlags) credential() (azcore.TokenCredential, error) {
	if err := i.check(); err != nil {
		return nil, err
	}
	env := environment()
	options := azcore.ClientOptions{Cloud: cloudNamed(i.cloud).login}
	switch i.method {
	case authEnvironment:
		return i.fromEnvironment(env, options)
	case authManagedIdentity:
		return i.managed(env, options)
	case authWorkloadIdentity:
		return i.workload(env, options)
	case authClientSecret:
		return i.withSecret(env, options)
	case authClientCertificate:
		return i.withCertificate(env, options)
	case authAzureCLI:
		return built(azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{
			TenantID: i.tenantIn(env), AdditionallyAllowedTenants: otherTenants(env),
		}))
	}
	return built(azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: options, TenantID: i.tenantIn(env)}))
}

// built keeps a nil pointer from becoming an interface that is not nil.
func built[C azcore.TokenCredential](c C, err error) (azcore.TokenCredential, error) {
	if err != nil {
		return nil, usagef("azure identity: %w", err)
	}
	return c, nil
}

func (i identityFlags) fromEnvironment(env map[string]string, options azcore.ClientOptions) (azcore.TokenCredential, error) {
	proof := env["AZURE_CLIENT_SECRET"]
	if proof == "" {
		proof = env["AZURE_CLIENT_CERTIFICATE_PATH"]
	}
	err := i.need("set them where signmill starts, or name another method with --auth",
		need{"AZURE_TENANT_ID", env["AZURE_TENANT_ID"]}, need{"AZURE_CLIENT_ID", env["AZURE_CLIENT_ID"]},
		need{"AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH", proof})
	if err != nil {
		return nil, err
	}
	return built(azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: options}))
}

// managed is the identity of the machine, or the user-assigned one that is
// named.
func (i identityFlags) managed(env map[string]string, options azcore.ClientOptions) (azcore.TokenCredential, error) {
	o := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
	if i.resourceID != "" {
		o.ID = azidentity.ResourceID(i.resourceID)
	} else if id := i.clientIn(env); id != "" {
		o.ID = azidentity.ClientID(id)
	}
	return built(azidentity.NewManagedIdentityCredential(o))
}

// workload is the identity that Kubernetes vouches for.
func (i identityFlags) workload(env map[string]string, options azcore.ClientOptions) (azcore.TokenCredential, error) {
	file := env["AZURE_FEDERATED_TOKEN_FILE"]
	err := i.need(`the webhook of workload identity sets them: label the pod azure.workload.identity/use: "true", and annotate its service account with azure.workload.identity/client-id`,
		need{"AZURE_CLIENT_ID or --client-id", i.clientIn(env)}, need{"AZURE_TENANT_ID or --tenant", i.tenantIn(env)},
		need{"AZURE_FEDERATED_TOKEN_FILE", file})
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(file); err != nil {
		return nil, usagef("AZURE_FEDERATED_TOKEN_FILE: %w; mount the service account's token there", display.Error(err))
	}
	return built(azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: options, ClientID: i.clientIn(env), TenantID: i.tenantIn(env), TokenFilePath: file,
		AdditionallyAllowedTenants: otherTenants(env),
	}))
}

func (i identityFlags) withSecret(env map[string]string, options azcore.ClientOptions) (azcore.TokenCredential, error) {
	secret, err := i.readSecret(env)
	if err != nil {
		return nil, err
	}
	err = i.need("set them, or give the flags; a secret is never the value of a flag",
		need{"AZURE_TENANT_ID or --tenant", i.tenantIn(env)}, need{"AZURE_CLIENT_ID or --client-id", i.clientIn(env)},
		need{"AZURE_CLIENT_SECRET or --client-secret-file", secret})
	if err != nil {
		return nil, err
	}
	return built(azidentity.NewClientSecretCredential(i.tenantIn(env), i.clientIn(env), secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, AdditionallyAllowedTenants: otherTenants(env)}))
}

func (i identityFlags) withCertificate(env map[string]string, options azcore.ClientOptions) (azcore.TokenCredential, error) {
	file := orElse(i.certificate, env["AZURE_CLIENT_CERTIFICATE_PATH"])
	err := i.need("set them, or give the flags",
		need{"AZURE_TENANT_ID or --tenant", i.tenantIn(env)}, need{"AZURE_CLIENT_ID or --client-id", i.clientIn(env)},
		need{"AZURE_CLIENT_CERTIFICATE_PATH or --client-certificate", file})
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, usagef("client certificate: %w", display.Error(err))
	}
	certificates, key, err := azidentity.ParseCertificates(text, password(env))
	if err != nil {
		return nil, usagef("client certificate %s: %w; it needs certificate and private key in PEM or PKCS #12, and its password, if any, in AZURE_CLIENT_CERTIFICATE_PASSWORD", display.OneLine(file), err)
	}
	chain := env["AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"]
	return built(azidentity.NewClientCertificateCredential(i.tenantIn(env), i.clientIn(env), certificates, key,
		&azidentity.ClientCertificateCredentialOptions{
			ClientOptions: options, AdditionallyAllowedTenants: otherTenants(env),
			SendCertificateChain: chain == "1" || strings.EqualFold(chain, "true"),
		}))
}

// password opens the certificate's file; nil when there is none.
func password(env map[string]string) []byte {
	if text := env["AZURE_CLIENT_CERTIFICATE_PASSWORD"]; text != "" {
		return []byte(text)
	}
	return nil
}

// need is something without which there is no identity.
type need struct{ name, value string }

// need fails with the names of all that has no value, and the cure.
func (i identityFlags) need(cure string, needs ...need) error {
	var missing []string
	for _, n := range needs {
		if n.value == "" {
			missing = append(missing, n.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return usageError(fmt.Errorf("--auth %s lacks %s: %s", i.method, strings.Join(missing, ", "), cure))
}

func (i identityFlags) clientIn(env map[string]string) string {
	return orElse(i.clientID, env["AZURE_CLIENT_ID"])
}

func (i identityFlags) tenantIn(env map[string]string) string {
	return orElse(i.tenant, env["AZURE_TENANT_ID"])
}

// orElse returns the first text, or the second when that is empty.
func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
