package localvault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// problem is a refusal in the service's own words: a status, a code and, for
// 403, an inner code that tells the cases apart.
type problem struct {
	status               int
	code, inner, message string
	retryAfter           time.Duration // zero: no such header
}

// Error joins code and message.
func (p *problem) Error() string { return p.code + ": " + p.message }

type innerError struct {
	Code string `json:"code"`
}

type errorBody struct {
	Code    string      `json:"code"`
	Message string      `json:"message"`
	Inner   *innerError `json:"innererror,omitempty"`
}

// body returns the JSON form of the problem.
func (p *problem) body() []byte {
	e := errorBody{Code: p.code, Message: p.message}
	if p.inner != "" {
		e.Inner = &innerError{Code: p.inner}
	}
	b, err := json.Marshal(map[string]errorBody{"error": e})
	if err != nil { // a struct of strings always marshals
		return nil
	}
	return b
}

func badParameter(name, message string) *problem {
	return &problem{status: http.StatusBadRequest, code: "BadParameter", message: fmt.Sprintf("Property %s has invalid value: %s", name, message)}
}

// keyTypeNotSupported is the answer of captured vaults to a type that they do
// not hold, such as oct.
func keyTypeNotSupported(kty string) *problem {
	return &problem{status: http.StatusBadRequest, code: "BadParameter", inner: "KeyTypeNotSupported", message: "Invalid kty value: " + kty}
}

func conflict(inner, message string) *problem {
	return &problem{status: http.StatusConflict, code: "Conflict", inner: inner, message: message}
}

func deletedButRecoverable(name string) *problem {
	return conflict("ObjectIsDeletedButRecoverable", "Key "+name+" is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged.")
}

func alreadyExists(name string) *problem {
	return conflict("", "A key with the name "+name+" already exists in this key vault.")
}

func deletedKeyNotFound(name string) *problem {
	return &problem{status: http.StatusNotFound, code: "KeyNotFound", message: "Deleted Key not found: " + name}
}

func forbidden(inner, message string) *problem {
	return &problem{status: http.StatusForbidden, code: "Forbidden", inner: inner, message: message}
}

func unauthorized() *problem {
	return &problem{status: http.StatusUnauthorized, code: "Unauthorized", message: "AKV10000: Request is missing a Bearer or PoP token."}
}

// throttled is the answer of two captured real vaults, byte for byte.
func throttled() *problem {
	return &problem{status: http.StatusTooManyRequests, code: "Throttled",
		message: "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"}
}

func unavailable(status int) *problem {
	return &problem{status: status, code: "InternalServerError", message: "The service is unable to process the request now."}
}

// keyNotFound differs in text between a vault and a Managed HSM.
func keyNotFound(name, version string, managedHSM bool) *problem {
	p := &problem{status: http.StatusNotFound, code: "KeyNotFound"}
	if managedHSM {
		p.message = "Key not found: " + name
		return p
	}
	id := name
	if version != "" {
		id += "/" + version
	}
	p.message = fmt.Sprintf("A key with (name/id) %s was not found in this key vault.", id)
	return p
}
