package localvault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// ServeHTTP answers a request that came over a connection. A dropped connection
// is the panic that net/http defines for it ([http.ErrAbortHandler]).
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, err := s.answer(r, r.TLS != nil)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	to := w.Header()
	for name, values := range a.header {
		to[name] = values
	}
	w.WriteHeader(a.status)
	if _, err := w.Write(a.body); err != nil {
		return // the client has gone
	}
}

// memory is the transport without a network.
type memory struct{ server *Server }

// RoundTripper returns a transport that reaches the vault in memory, whatever
// the host in the URL. Requests run in the caller's goroutine, so it works
// inside a testing/synctest bubble. A request whose context has ended returns
// the context's error; a response may be read after that.
func (s *Server) RoundTripper() http.RoundTripper { return memory{s} }

// RoundTrip carries out one request.
func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if r.URL == nil || r.URL.Host == "" {
		return nil, errors.New("localvault: request without a host")
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	a, err := m.server.answer(r, r.URL.Scheme == "https")
	if errors.Is(err, errDropped) {
		return nil, fmt.Errorf("%w: %w", errDropped, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status:        strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		StatusCode:    a.status,
		Proto:         "HTTP/2.0",
		ProtoMajor:    2,
		Header:        a.header,
		Body:          io.NopCloser(bytes.NewReader(a.body)),
		ContentLength: int64(len(a.body)),
		Request:       r,
	}, nil
}
