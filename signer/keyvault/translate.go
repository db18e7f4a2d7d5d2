package keyvault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// translate turns the error of one attempt into the contract's. What the
// vault said goes into the cause, for logs; the message is ours, for results.
func (t task) translate(err error, requestID string) *signer.Error {
	if e, ok := errors.AsType[*signer.Error](err); ok {
		return e
	}
	answer, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return t.unanswered(err)
	}
	said := t.discreet(answer.StatusCode, readAnswer(answer))
	code, advice := t.judge(answer.StatusCode, said)
	return &signer.Error{
		Code:       code,
		Message:    t.subject() + ": " + advice,
		RetryAfter: hint(answer.RawResponse, time.Now()),
		Err:        fmt.Errorf("the vault answered %d%s (request id %s)", answer.StatusCode, said, requestID),
	}
}

// discreet forgets why a ciphertext was refused: whoever may ask for
// decryptions must not learn what was wrong with one, not even by way of logs.
// Of what was to be encrypted it keeps the codes only, since a vault's text, or
// that of a proxy in front of it, may quote a plaintext.
func (t task) discreet(status int, said answer) answer {
	switch t.operation {
	case schema.Decrypt, schema.UnwrapKey:
		if status == http.StatusBadRequest {
			return answer{}
		}
	case schema.Encrypt, schema.WrapKey:
		said.message = ""
	}
	return said
}

// unanswered is the failure of an attempt that got no answer at all.
func (t task) unanswered(err error) *signer.Error {
	advice := "the vault could not be reached; check its name, the network and its firewall"
	if unauthenticated(err) {
		advice = "no token for the vault could be had; check the worker's identity and the vault's tenant"
	} else if lookup, ok := errors.AsType[*net.DNSError](err); ok && lookup.IsNotFound {
		advice = "the vault's name is not known to DNS; find the right one with: " + t.listing() + ", and where the vault has a private endpoint, link its private DNS zone to the worker's network"
	}
	if t.keeping.forbids(err) && !unauthenticated(err) {
		advice = "the vault's answer was lost, and what was asked may have been done; look before you repeat it"
	}
	return &signer.Error{Code: schema.CodeUnavailable, Message: t.subject() + ": " + advice, Err: err}
}

// interrupted is the failure of a task whose context ended, or would end
// before the next attempt.
func (t task) interrupted(last *signer.Error, attempts int, ended error) *signer.Error {
	if last == nil {
		return &signer.Error{Code: schema.CodeUnavailable, Message: t.subject() + ": the vault had not answered when the call was given up", Err: ended}
	}
	return &signer.Error{
		Code:       last.Code,
		Message:    fmt.Sprintf("%s; given up after %d attempts", last.Message, attempts),
		RetryAfter: last.RetryAfter,
		Err:        fmt.Errorf("%w: %w", ended, last.Err),
	}
}

// judge finds the code for an answer and what to do about it.
func (t task) judge(status int, said answer) (schema.Code, string) {
	activated := !strings.Contains(said.code+said.inner, "NotActivated")
	if code, advice, known := t.cure(status, said); known && activated {
		return code, advice
	}
	switch {
	case !activated:
		return schema.CodeForbidden, "the Managed HSM is not activated; do that with: az keyvault security-domain download --hsm-name " + t.id.vault.name() +
			" --sd-wrapping-keys <certificates> --sd-quorum <number> --security-domain-file <file>"
	case status == http.StatusTooManyRequests:
		return schema.CodeThrottled, "the vault's quota is used up; lower the budget or spread keys over more vaults"
	case passing(status):
		return schema.CodeUnavailable, "the vault is not able to answer at the moment"
	case status == http.StatusUnauthorized:
		return schema.CodeForbidden, "the vault does not accept the worker's token; check that the identity belongs to the vault's tenant"
	case status == http.StatusForbidden:
		return t.forbidden(said)
	case said.code == deletedKey || said.inner == deletedKey:
		return schema.CodeKeyNotFound, "the key is deleted and can be had back; recover it with: az keyvault key recover " + t.vaultFlag() + " --name " + t.id.name
	case status == http.StatusNotFound:
		return schema.CodeKeyNotFound, "the vault has no such key or version; list them with: az keyvault key list-versions " + t.vaultFlag() + " --name " + t.id.name
	}
	return schema.CodeVaultRejected, t.rejected()
}

// rejected says what to do about a refusal that has no name.
func (t task) rejected() string {
	switch t.operation {
	case schema.Decrypt, schema.UnwrapKey:
		return "the vault refused the input; check that this version of the key, the algorithm and all parts of the input are those of the encryption"
	case schema.Encrypt, schema.WrapKey:
		return "the vault refused the input; check the size of the key, the algorithm and all parts of the input"
	}
	return "the vault refused the request; the cause is in the worker's log"
}

// deletedKey is what the vault calls a key in its bin.
const deletedKey = "ObjectIsDeletedButRecoverable"

// forbidden tells apart what a vault answers with 403, by the inner code.
func (t task) forbidden(said answer) (schema.Code, string) {
	key := "az keyvault key set-attributes " + t.vaultFlag() + " --name " + t.id.name
	if t.id.version != "" {
		key += " --version " + t.id.version
	}
	switch inner := said.inner; {
	case inner == "KeyDisabled":
		return schema.CodeKeyUnusable, "the key is disabled; enable it with: " + key + " --enabled true"
	case inner == "KeyOperationForbidden":
		return schema.CodeKeyUnusable, "key_ops lacks " + string(t.operation) + "; allow it with: " + key + " --ops " + signer.OpsWith(signer.Key{Operations: t.allowed}, t.operation)
	case strings.Contains(inner, "NotYetValid"):
		return schema.CodeKeyUnusable, "the key is not valid yet; wait for its date, or move it with: " + key + " --not-before <date>"
	case strings.Contains(inner, "Expired"):
		return schema.CodeKeyUnusable, "the key has expired; make a new version with: az keyvault key rotate " + t.vaultFlag() + " --name " + t.id.name
	case inner == "ForbiddenByFirewall":
		return schema.CodeForbidden, "the vault's firewall keeps the worker out; admit its address with: az keyvault network-rule add --name " + t.id.vault.name() + " --ip-address <address>"
	case inner == "ForbiddenByConnection":
		return schema.CodeForbidden, "the vault takes no calls from the public network; give the worker's network a private endpoint, or open the vault with: az keyvault update --name " + t.id.vault.name() + " --public-network-access Enabled"
	case inner == "AccessDenied":
		return schema.CodeForbidden, "no access policy lets the worker in; add one with: az keyvault set-policy --name " + t.id.vault.name() + " --object-id <identity> --key-permissions " + t.permissions()
	}
	return schema.CodeForbidden, "the worker's identity may not use the key; " + t.grant()
}

// grant names the role that is missing and the command that gives it.
func (t task) grant() string {
	if t.id.vault.hsm() {
		return `give it the role "Managed HSM Crypto User" with: az keyvault role assignment create --hsm-name ` + t.id.vault.name() +
			` --role "Managed HSM Crypto User" --assignee <identity> --scope /keys`
	}
	return `give it the role "Key Vault Crypto User" with: az role assignment create --role "Key Vault Crypto User" --assignee <identity> --scope <resource id of vault ` +
		t.id.vault.name() + ">"
}

// permissions are those of an access policy that lets t pass.
func (t task) permissions() string {
	if t.operation == schema.GetPublicKey {
		return "get"
	}
	return "get " + string(t.operation)
}

// listing is the command that shows the vaults there are.
func (t task) listing() string {
	if t.id.vault.hsm() {
		return "az keyvault list --resource-type hsm"
	}
	return "az keyvault list"
}

func (t task) vaultFlag() string {
	if t.id.vault.hsm() {
		return "--hsm-name " + t.id.vault.name()
	}
	return "--vault-name " + t.id.vault.name()
}

// answer is what a vault says about a refusal.
type answer struct{ code, inner, message string }

// String continues a sentence that ends with the status.
func (a answer) String() string {
	words := ""
	if a.code != "" {
		words = " " + a.code
	}
	if a.inner != "" {
		words += "/" + a.inner
	}
	if a.message != "" {
		words += ": " + a.message
	}
	return words
}

// readAnswer takes the error object out of an answer's body. Its text is
// bounded and printable whatever the server sent.
func readAnswer(e *azcore.ResponseError) answer {
	var body struct {
		Error struct {
			Code, Message string
			InnerError    struct{ Code string }
		}
	}
	if e.RawResponse != nil {
		if text, err := runtime.Payload(e.RawResponse); err == nil {
			_ = json.Unmarshal(text, &body) // not JSON: the status must do
		}
	}
	code := body.Error.Code
	if code == "" {
		code = e.ErrorCode
	}
	return answer{clip(code, 64), clip(body.Error.InnerError.Code, 64), clip(body.Error.Message, 300)}
}

// clip keeps the first runes of text, on one line.
func clip(text string, runes int) string {
	var b strings.Builder
	for _, r := range text {
		if runes--; runes < 0 {
			break
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
