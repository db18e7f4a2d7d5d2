package main

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/worker/policy"
)

// backend says where broker and vault are. It is all in which Azure and local
// mode differ.
type backend struct {
	Bus      servicebus.Config
	Vault    keyvault.Config
	VaultURL string // base URL; "" when no vault is used, or a policy names them

	Policy *policy.File // of a worker with a file; nil: the flags say what it may do
}

// azureFlags say where broker and vault are in Azure, or wherever signmill
// local has printed.
type azureFlags struct {
	namespace      string
	connectionFile string // a file, because no secret belongs on a command line
	vault          string
	identity       identityFlags
}

func (a *azureFlags) add(cmd *cobra.Command) {
	a.addBus(cmd)
	a.addVault(cmd.Flags())
}

// addBus adds the flags about the broker and the identity.
func (a *azureFlags) addBus(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.namespace, "namespace", "", "the `HOST` of the Service Bus namespace, such as example.servicebus.windows.net")
	a.identity.add(cmd, f)
	f.StringVar(&a.connectionFile, "connection-string-file", "", "a `FILE` with a connection string, instead of --namespace; or set "+envPrefix+"CONNECTION_STRING")
}

func (a *azureFlags) addVault(f *pflag.FlagSet) {
	f.StringVar(&a.vault, "vault", "", "`URL` of the vault or Managed HSM, such as https://example.vault.azure.net")
}

// backend returns the configuration for Azure. A credential is made only where
// one is needed.
func (a azureFlags) backend(log *slog.Logger) (backend, error) {
	return a.backendFor(log, func(bool) (*policy.File, error) { return nil, nil })
}

// backendFor is backend with the vaults of a policy, if rules returns one. It is
// told whether the broker is on this machine.
func (a azureFlags) backendFor(log *slog.Logger, rules func(local bool) (*policy.File, error)) (backend, error) {
	if err := a.identity.check(); err != nil {
		return backend{}, err
	}
	if strings.ContainsAny(a.namespace, "/:@ ") {
		return backend{}, usagef("--namespace %q: use a host name, such as example.servicebus.windows.net", a.namespace)
	}
	b := backend{VaultURL: strings.TrimSuffix(a.vault, "/")}
	b.Bus = servicebus.Config{Namespace: a.namespace, Log: log}
	b.Vault = keyvault.Config{Local: isLoopback(a.vault), Log: log}
	text, err := a.readConnectionString()
	if err != nil {
		return backend{}, err
	}
	switch {
	case text == "" && a.namespace == "":
		return backend{}, usagef("where is the queue? give --namespace, --connection-string-file or the variable %sCONNECTION_STRING", envPrefix)
	case text != "" && a.namespace != "":
		return backend{}, usagef("--namespace and a connection string exclude each other")
	}
	b.Bus.ConnectionString = text
	vaults := []string{a.vault}
	if b.Policy, err = rules(onThisMachine(b.Bus)); err != nil {
		return backend{}, err
	} else if b.Policy != nil {
		vaults = urls(b.Policy)
		b.VaultURL, b.Vault.Local = "", onThisMachine(b.Bus)
	}
	if text != "" && len(vaults) == 1 && vaults[0] == "" {
		return b, nil
	}
	if b.Vault.Credential, err = a.credential(text == "", vaults...); err != nil {
		return backend{}, err
	}
	if text == "" {
		b.Bus.Credential = b.Vault.Credential
	}
	return b, nil
}

// onThisMachine reports whether a broker is.
func onThisMachine(c servicebus.Config) bool {
	at, err := c.Address()
	return err == nil && signer.Loopback(strings.ToLower(at.Host))
}

// urls lists the vaults of a policy.
func urls(f *policy.File) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(f.Vaults)) {
		all = append(all, f.Vaults[name].URL)
	}
	return all
}

// credential returns the one that vaults and broker share. All hosts must be
// of its cloud; the broker only where it gets a token at all.
func (a azureFlags) credential(bus bool, vaults ...string) (azcore.TokenCredential, error) {
	credential, err := a.identity.credential()
	if err != nil {
		return nil, err
	}
	home := cloudNamed(a.identity.cloud)
	if bus {
		if err := home.checkNamespace(a.namespace); err != nil {
			return nil, err
		}
	}
	for _, vault := range vaults {
		if err := home.checkVault(vault); err != nil {
			return nil, err
		}
	}
	return credential, nil
}

func (a azureFlags) readConnectionString() (string, error) {
	if a.connectionFile == "" {
		return os.Getenv(envPrefix + "CONNECTION_STRING"), nil
	}
	text, err := os.ReadFile(a.connectionFile)
	if err != nil {
		return "", fmt.Errorf("connection string: %w", display.Error(err))
	}
	return strings.TrimSpace(string(text)), nil
}
