package keyvault

import (
	"net/http"

	"github.com/signmill/signmill/schema"
)

// cure finds the code and the advice for a refusal that means something of
// its own to those who keep keys. It reports false where the advice for users
// of keys holds for them, too.
func (t task) cure(status int, said answer) (code schema.Code, advice string, known bool) {
	if t.keeping == nil {
		return "", "", false
	}
	vault := " --vault " + t.id.vault.String()
	switch {
	case status == http.StatusConflict:
		return schema.CodeVaultRejected, t.conflict(said, vault), true
	case status == http.StatusNotFound && t.id.name == "":
		return schema.CodeVaultRejected, "the vault does not know the operation; only a Managed HSM may have it", true
	case status == http.StatusNotFound:
		return schema.CodeKeyNotFound, "the vault has no such key or version; list them with: signmill keys list" + vault +
			", and deleted ones with: signmill keys list-deleted" + vault, true
	case status == http.StatusForbidden && said.inner == "KeyDisabled":
		return schema.CodeKeyUnusable, "the key is disabled; enable it with: signmill keys enable " + t.argument() + vault, true
	case status == http.StatusForbidden && said.inner == "ForbiddenByFirewall":
		return "", "", false
	case status == http.StatusForbidden && said.inner == "AccessDenied":
		return schema.CodeForbidden, "no access policy allows it; add one with: az keyvault set-policy --name " + t.id.vault.name() +
			" --object-id <identity> --key-permissions all purge", true
	case status == http.StatusForbidden:
		return schema.CodeForbidden, "your identity may not do this; " + t.officerRole() + t.protection(vault), true
	case said.inner == "KeyTypeNotSupported":
		return schema.CodeVaultRejected, "the vault holds no keys of this type; symmetric keys need a Managed HSM, keys in hardware that or a Premium vault", true
	case status == http.StatusBadRequest && t.keeping.what == attest:
		return schema.CodeKeyUnusable, "the vault has no attestation for the key; only keys that a Managed HSM has made have one", true
	case status == http.StatusBadRequest || status == http.StatusMethodNotAllowed:
		return schema.CodeVaultRejected, "the vault refused the request", true
	}
	return "", "", false
}

// conflict says how to resolve a 409: the name is taken by a key that is
// deleted, or by one that is there.
func (t task) conflict(said answer, vault string) string {
	name := t.id.name
	if name == "" {
		name = "NAME"
	}
	switch said.inner {
	case "ObjectIsBeingDeleted", "ObjectIsBeingRecovered":
		return "the key is being deleted or recovered at the moment; try again in a few seconds"
	case "ObjectAlreadyExists", "KeyAlreadyExists":
		return "a key of this name is there already; delete it with: signmill keys delete " + name + vault
	}
	return "the name belongs to a key that is there or deleted but can be recovered; recover that with: signmill keys recover " + name + vault +
		", or free the name for good with: signmill keys purge " + name + vault
}

// protection tells why a purge may be refused to everybody.
func (t task) protection(vault string) string {
	if t.keeping.what != purge {
		return ""
	}
	return "; under purge protection nobody may, and the key goes by itself at the time that this tells: signmill keys list-deleted" + vault
}

// officerRole names the role for the life of keys and the command that gives
// it.
func (t task) officerRole() string {
	if t.id.vault.hsm() {
		return `give it the role "Managed HSM Crypto Officer" with: az keyvault role assignment create --hsm-name ` + t.id.vault.name() +
			` --role "Managed HSM Crypto Officer" --assignee <identity> --scope /keys`
	}
	return `give it the role "Key Vault Crypto Officer" with: az role assignment create --role "Key Vault Crypto Officer" --assignee <identity> --scope <resource id of vault ` +
		t.id.vault.name() + ">"
}

// argument is the key as commands take it.
func (t task) argument() string {
	if t.id.version == "" {
		return t.id.name
	}
	return t.id.name + "/" + t.id.version
}
