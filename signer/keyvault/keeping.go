package keyvault

import (
	"errors"
	"net"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// keeping is what a task of the life of keys has besides. Its refusals have
// cures of their own.
type keeping struct {
	what string // for people: "create", "back up"
	once bool   // is not repeated unless it has surely changed nothing
}

// forbids reports whether the failure of an attempt forbids another one.
func (k *keeping) forbids(err error) bool { return k != nil && k.once && !undone(err) }

// undone reports whether a failed attempt has surely changed nothing: the
// vault said so, or could not be reached at all. After any other failure an
// operation that must not be done twice is not repeated.
func undone(err error) bool {
	if answer, ok := errors.AsType[*azcore.ResponseError](err); ok {
		switch answer.StatusCode {
		case http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusServiceUnavailable:
			return true
		}
		return answer.StatusCode < http.StatusInternalServerError
	}
	dial, ok := errors.AsType[*net.OpError](err)
	return ok && dial.Op == "dial"
}
