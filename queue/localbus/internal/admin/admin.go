// Package admin serves the part of the Service Bus management API that is about
// queues: Atom entries over HTTP, as admin clients and autoscalers use it.
//
// What it is. A Handler creates, updates, describes, lists and deletes the
// queues of a broker and describes the namespace. Topics and subscriptions are
// not offered: there are none to be found, and creating one is refused.
//
// How it flows. A request is authorized, its body, if any, becomes the
// properties of a queue, the broker acts, and its answer goes back as XML.
//
// Guarantees. What a client sets is what it gets back, authorization rules
// included. Any api-version is accepted. A body has at most 256 KiB; elements
// may come in any order and any namespace, unknown ones are passed over.
//
// Errors. Every refusal is an Error document with the status as its code.
//
// Concurrency. A Handler may be used from any goroutine.
package admin

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

// Config describes a Handler. Broker is required.
type Config struct {
	Broker  *broker.Broker
	Check   func(token, address string) (token.Grant, error) // judges the Authorization header; nil: everybody may do everything
	Name    string                                           // of the namespace
	Created time.Time                                        // when the namespace came into being
}

// Handler is the management API of one namespace.
type Handler struct{ config Config }

// New returns a Handler.
func New(c Config) *Handler { return &Handler{config: c} }

const (
	queuesPath    = "$resources/queues"
	namespacePath = "$namespaceinfo"
)

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := h.serve(w, r)
	if err != nil {
		a = refusalOf(err)
	}
	a.write(w)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (answer, error) {
	rights, err := h.rights(r)
	if err != nil {
		return answer{}, err
	}
	manage := rights&token.Manage != 0
	path := strings.Trim(r.URL.Path, "/")
	switch r.Method {
	case http.MethodGet:
		return h.get(r, path, manage)
	case http.MethodPut:
		if !manage {
			return answer{}, &refusal{http.StatusUnauthorized, "Authorization failed for specified action: Manage,EntityWrite."}
		}
		return h.put(w, r, path)
	case http.MethodDelete:
		if !manage {
			return answer{}, &refusal{http.StatusUnauthorized, "Authorization failed for specified action: Manage,EntityDelete."}
		}
		return answer{status: http.StatusOK}, h.config.Broker.Delete(path)
	}
	return answer{}, &refusal{http.StatusMethodNotAllowed, "The method is not offered: use GET, PUT or DELETE."}
}

// rights returns what the request's token is worth.
func (h *Handler) rights(r *http.Request) (token.Rights, error) {
	if h.config.Check == nil {
		return token.All, nil
	}
	text := r.Header.Get("Authorization")
	if text == "" {
		return 0, &refusal{http.StatusUnauthorized, "MissingToken: The request has no Authorization header."}
	}
	g, err := h.config.Check(text, "https://"+r.Host+r.URL.Path)
	if err != nil {
		return 0, &refusal{http.StatusUnauthorized, err.Error()}
	}
	return g.Rights, nil
}

// get answers for the namespace, for lists and for one queue.
func (h *Handler) get(r *http.Request, path string, manage bool) (answer, error) {
	name := strings.ToLower(path)
	list := strings.HasPrefix(name, "$resources/") || name == ""
	if !list && name != namespacePath {
		return h.describe(r, path, manage)
	}
	switch {
	case !manage:
		return answer{}, errNoRead
	case name == namespacePath:
		return h.namespace(r), nil
	case name == queuesPath:
		return h.list(r)
	}
	return feed(r, "Publicly Listed Services", nil), nil
}

var errNoRead = &refusal{http.StatusUnauthorized, "Manage,EntityRead claims required for this operation."}

// refusal is a request's end with a status and an explanation.
type refusal struct {
	status int
	detail string
}

// Error returns the explanation, which the answer shows.
func (e *refusal) Error() string { return e.detail }

// refusalOf turns an error into an answer.
func refusalOf(err error) answer {
	var r *refusal
	if !errors.As(err, &r) {
		r = &refusal{statusOf(broker.KindOf(err)), err.Error()}
	}
	return answer{r.status, errorDocument{Code: r.status, Detail: r.detail}}
}

func statusOf(k broker.Kind) int {
	switch k {
	case broker.NotFound:
		return http.StatusNotFound
	case broker.Exists:
		return http.StatusConflict
	case broker.Invalid:
		return http.StatusBadRequest
	case broker.Closed:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
