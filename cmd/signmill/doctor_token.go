package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// chain learns which credential of the default chain answers, and holds what
// the vault asked for. The SDK tells the first in its log only.
type chain struct {
	scope, tenant string // of the vault's challenge

	mu       sync.Mutex // guards answered
	answered string
}

// follow listens to the SDK's log until the process ends. That log is one for
// the whole process, so nothing may talk to Azure yet.
func (c *chain) follow() {
	log.SetEvents(azidentity.EventAuthentication)
	log.SetListener(func(_ log.Event, text string) {
		if _, name, found := strings.Cut(text, " authenticated with "); found {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.answered = name
		}
	})
}

// who names the credential that has answered.
func (c *chain) who(method string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if method == authDefault && c.answered != "" {
		return c.answered
	}
	return method
}

// vaultToken asks for the token that the vault's challenge names.
func (v *visit) vaultToken(ctx context.Context) bool {
	return v.try(ctx, "token", "vault", func(ctx context.Context) verdict {
		if v.chain.scope == "" {
			return well("none is needed")
		}
		return v.token(ctx, policy.TokenRequestOptions{Scopes: []string{v.chain.scope}, TenantID: v.chain.tenant, EnableCAE: true})
	})
}

// busScope is that of Service Bus in every cloud, as its SDK writes it.
const busScope = "https://servicebus.azure.net//.default"

func (v *visit) busToken(ctx context.Context) bool {
	return v.try(ctx, "token", "namespace", func(ctx context.Context) verdict {
		if v.Bus.Credential == nil {
			return well("none is needed: the connection string holds a key")
		}
		return v.token(ctx, policy.TokenRequestOptions{Scopes: []string{busScope}})
	})
}

// token asks for a token and tells whose it is.
func (v *visit) token(ctx context.Context, ask policy.TokenRequestOptions) verdict {
	method := v.options.worker.azure.identity.method
	got, err := v.Vault.Credential.GetToken(ctx, ask)
	if err != nil {
		return ill(display.Cut(err.Error(), 600), tokenCure(method))
	}
	return well("%s%s", v.chain.who(method), bearer(got.Token))
}

// tokenCure says what to look at when a method gives no token.
func tokenCure(method string) string {
	switch method {
	case authManagedIdentity:
		return "give the machine an identity with: az vm identity assign, or name its user-assigned one with --client-id or --identity-resource-id"
	case authWorkloadIdentity:
		return "the identity needs a federated credential for this cluster and service account: az identity federated-credential create --issuer ISSUER --subject system:serviceaccount:NAMESPACE:NAME"
	case authClientSecret, authClientCertificate, authEnvironment:
		return "check tenant, client id, and that the secret or certificate has not expired: az ad app credential list --id CLIENT_ID"
	case authAzureCLI:
		return "sign in with: az login --tenant TENANT"
	}
	return "name one method with --auth, and doctor says what that one lacks"
}

// bearer tells who a token is for, from its claims. They are shown and not
// relied upon; the token itself is not shown.
func bearer(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Object string `json:"oid"`
		App    string `json:"appid"`
		Tenant string `json:"tid"`
	}
	if json.Unmarshal(body, &claims) != nil {
		return ""
	}
	text := ""
	for _, c := range []struct{ name, value string }{{"object id", claims.Object}, {"client id", claims.App}, {"tenant", claims.Tenant}} {
		if c.value != "" {
			text += ", " + c.name + " " + display.Cut(c.value, 64)
		}
	}
	return text
}
