package keyvault

import (
	"encoding/json"
	"errors"
	"fmt"
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
	said := readAnswer(answer)
	code, advice := t.judge(answer.StatusCode, said)
	return &signer.Error{
		Code:       code,
		Message:    t.what + " " + t.id.String() + ": " + advice,
		RetryAfter: hint(answer.RawResponse, time.Now()),
		Err:        fmt.Errorf("the vault answered %d%s (request id %s)", answer.StatusCode, said, requestID),
	}
}

// unanswered is the failure of an attempt that got no answer at all.
func (t task) unanswered(err error) *signer.Error {
	advice := "the vault could not be reached; check its name, the network and its firewall"
	if unauthenticated(err) {
		advice = "no token for the vault could be had; check the worker's identity and the vault's tenant"
	}
	return &signer.Error{Code: schema.CodeUnavailable, Message: t.what + " " + t.id.String() + ": " + advice, Err: err}
}

// interrupted is the failure of a task whose context ended, or would end
// before the next attempt.
func (t task) interrupted(last *signer.Error, attempts int, ended error) *signer.Error {
	if last == nil {
		return &signer.Error{Code: schema.CodeUnavailable, Message: t.what + " " + t.id.String() + ": the vault had not answered when the call was given up", Err: ended}
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
	switch {
	case status == http.StatusTooManyRequests:
		return schema.CodeThrottled, "the vault's quota is used up; lower the budget or spread keys over more vaults"
	case passing(status):
		return schema.CodeUnavailable, "the vault is not able to answer at the moment"
	case status == http.StatusUnauthorized:
		return schema.CodeForbidden, "the vault does not accept the worker's token; check that the identity belongs to the vault's tenant"
	case status == http.StatusForbidden:
		return t.forbidden(said)
	case status == http.StatusNotFound:
		return schema.CodeKeyNotFound, "the vault has no such key or version; list them with: az keyvault key list-versions " + t.vaultFlag() + " --name " + t.id.name
	}
	return schema.CodeVaultRejected, "the vault refused the request; the cause is in the worker's log"
}

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
		return schema.CodeKeyUnusable, "key_ops lacks the operation; allow it with: " + key + " --ops sign verify"
	case strings.Contains(inner, "Expired") || strings.Contains(inner, "NotYetValid"):
		return schema.CodeKeyUnusable, "the key is outside its dates; make a new version with: az keyvault key rotate " + t.vaultFlag() + " --name " + t.id.name
	case inner == "ForbiddenByFirewall":
		return schema.CodeForbidden, "the vault's firewall keeps the worker out; admit its address with: az keyvault network-rule add --name " + t.id.vault.name() + " --ip-address <address>"
	case inner == "AccessDenied":
		return schema.CodeForbidden, "no access policy lets the worker in; add one with: az keyvault set-policy --name " + t.id.vault.name() + " --object-id <identity> --key-permissions get sign"
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
