package localvault

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// answer is a complete response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// render turns what was decided into a response. No value is no content.
func (s *Server) render(c *call, value any, err error) answer {
	a := answer{status: http.StatusOK, header: s.header(c.r)}
	if err == nil && value == nil {
		a.status = http.StatusNoContent
		a.header.Del("Content-Type")
		return a
	}
	if err == nil {
		a.body, err = json.Marshal(value)
	}
	if err != nil {
		s.renderProblem(c, &a, err)
	}
	a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
	return a
}

func (s *Server) renderProblem(c *call, a *answer, err error) {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		p = &problem{status: http.StatusInternalServerError, code: "InternalServerError", message: err.Error()}
	}
	a.status, a.body = p.status, p.body()
	if p.status == http.StatusUnauthorized {
		a.header.Set("Www-Authenticate", s.challenge(c))
		if s.managedHSM {
			a.body = []byte("OK")
		}
	}
	if p.retryAfter > 0 {
		seconds := (p.retryAfter + time.Second - 1) / time.Second
		a.header.Set("Retry-After", strconv.Itoa(int(seconds)))
	}
}

// header returns what every answer carries.
func (s *Server) header(r *http.Request) http.Header {
	h := http.Header{
		"Cache-Control":              {"no-cache"},
		"Pragma":                     {"no-cache"},
		"Expires":                    {"-1"},
		"Content-Type":               {"application/json; charset=utf-8"},
		"X-Content-Type-Options":     {"nosniff"},
		"Date":                       {s.clock.Now().UTC().Format(http.TimeFormat)},
		"X-Ms-Keyvault-Region":       {"local"},
		"X-Ms-Request-Id":            {s.requestID()},
		"X-Ms-Keyvault-Network-Info": {"conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;"},
	}
	if s.managedHSM {
		h["X-Ms-Server-Latency"] = []string{"1"}
	} else {
		h["X-Ms-Keyvault-Service-Version"] = []string{"1.9.0.0"}
	}
	if id := r.Header.Get("X-Ms-Client-Request-Id"); id != "" {
		h["X-Ms-Client-Request-Id"] = []string{id}
	}
	return h
}

// requestID returns an identifier in the form of a UUID: random digits, fixed
// for this server, and a count.
func (s *Server) requestID() string {
	var raw [16]byte
	copy(raw[:], s.prefix[:])
	binary.BigEndian.PutUint64(raw[8:], s.requests.Add(1))
	var text [36]byte
	hex.Encode(text[0:8], raw[0:4])
	hex.Encode(text[9:13], raw[4:6])
	hex.Encode(text[14:18], raw[6:8])
	hex.Encode(text[19:23], raw[8:10])
	hex.Encode(text[24:36], raw[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// segment returns the JSON form of v as a part of a JWT (RFC 7519).
func segment(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
