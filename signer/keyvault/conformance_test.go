package keyvault

import (
	"crypto/rand"
	"errors"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/signer/signertest"
)

const vaultURL = "https://local.vault.azure.net"

// openVault starts a vault in memory.
func openVault(t testing.TB, config localvault.Config) *localvault.Server {
	t.Helper()
	server, err := localvault.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func TestConformance(t *testing.T) {
	t.Parallel()
	signertest.Run(t, func(t *testing.T) signertest.Harness {
		server := openVault(t, localvault.Config{})
		return harness(t, vaultURL, token{}, server.RoundTripper(), Retry{})
	})
}

// harness makes keys through the SDK, apart from the client under test.
func harness(t *testing.T, vault string, credential azcore.TokenCredential, transport http.RoundTripper, retry Retry) signertest.Harness {
	t.Helper()
	c := clientOf(t, transport, func(config *Config) { config.Credential, config.Retry = credential, retry })
	hands := sdk(t, vault, credential, transport)
	return signertest.Harness{
		Keys:   c,
		Create: func(t *testing.T, spec signertest.KeySpec) signer.Ref { return create(t, hands, vault, spec) },
		Disable: func(t *testing.T, ref signer.Ref) {
			attributes := &azkeys.KeyAttributes{Enabled: point(false)}
			if _, err := hands.UpdateKey(t.Context(), ref.Name, ref.Version, azkeys.UpdateKeyParameters{KeyAttributes: attributes}, nil); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// sdk returns a bare SDK client, with the SDK's own defaults.
func sdk(t testing.TB, vault string, credential azcore.TokenCredential, transport http.RoundTripper) *azkeys.Client {
	t.Helper()
	hands, err := azkeys.NewClient(vault, credential, &azkeys.ClientOptions{
		ClientOptions:                        policy.ClientOptions{Transport: wire{transport, nil}},
		DisableChallengeResourceVerification: vault != vaultURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	return hands
}

func create(t *testing.T, hands *azkeys.Client, vault string, spec signertest.KeySpec) signer.Ref {
	t.Helper()
	if spec.Name == "" {
		spec.Name = "test-" + rand.Text()
	}
	params := azkeys.CreateKeyParameters{Kty: point(azkeys.KeyTypeEC), KeyAttributes: &azkeys.KeyAttributes{Enabled: point(!spec.Disabled)}}
	switch {
	case spec.Symmetric:
		params.Kty, params.KeySize = point(azkeys.KeyTypeOct), point(int32(spec.Bits))
	case spec.Curve != "":
		params.Curve = point(azkeys.CurveName(spec.Curve))
	default:
		params.Kty, params.KeySize = point(azkeys.KeyTypeRSA), point(int32(spec.Bits))
	}
	if spec.HSM {
		*params.Kty += "-HSM"
	}
	if spec.Operations == nil && vault != vaultURL {
		spec.Operations = defaultOps(spec) // a vault may have none of its own
	}
	for _, op := range spec.Operations {
		params.KeyOps = append(params.KeyOps, point(azkeys.KeyOperation(op)))
	}
	if !spec.NotBefore.IsZero() {
		params.KeyAttributes.NotBefore = &spec.NotBefore
	}
	if !spec.Expires.IsZero() {
		params.KeyAttributes.Expires = &spec.Expires
	}
	made, err := hands.CreateKey(t.Context(), spec.Name, params, nil)
	if refusal, ok := errors.AsType[*azcore.ResponseError](err); ok && refusal.StatusCode == http.StatusBadRequest &&
		vault != vaultURL && (spec.HSM || spec.Symmetric || spec.Curve == "P-256K") {
		t.Skipf("%s has no keys of type %s: %v", vault, spec, err)
	}
	if err != nil {
		t.Fatalf("create %s: %v", spec, err)
	}
	return signer.Ref{Vault: vault, Name: made.Key.KID.Name(), Version: made.Key.KID.Version()}
}

// defaultOps are the key_ops that Azure gives a key for which none are asked.
func defaultOps(spec signertest.KeySpec) []string {
	ops := []string{"sign", "verify"}
	if spec.Curve == "" {
		ops = append(ops, "encrypt", "decrypt", "wrapKey", "unwrapKey")
	}
	return ops
}

func ecSpec(name string) signertest.KeySpec { return signertest.KeySpec{Name: name, Curve: "P-256"} }
