package localvault

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tokenPath is where a managed identity's token is served, in the shape that
// App Service has: the variables IDENTITY_ENDPOINT and IDENTITY_HEADER lead any
// language's default credential there.
const tokenPath = "/msi/token"

const tokenLife = 24 * time.Hour

// hostOf returns the host, and the port if any, that the client asked.
func hostOf(r *http.Request) string {
	if r.Host != "" || r.URL == nil {
		return r.Host
	}
	return r.URL.Host
}

// hasToken reports whether the request carries a token. Any token will do.
func hasToken(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(token) != ""
}

// challenge tells a client where to get a token and for which resource. Clients
// accept a resource whose host is a parent of the host they asked.
func (s *Server) challenge(c *call) string {
	return fmt.Sprintf(`Bearer authorization="https://login.microsoftonline.com/%s", resource="https://%s"`, s.tenant, s.resourceHost(c.r))
}

// resourceHost returns the parent domain of the host that was asked. An address
// and a bare name have none: there it is the public service's.
func (s *Server) resourceHost(r *http.Request) string {
	host := hostOf(r)
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	_, parent, ok := strings.Cut(host, ".")
	if ok && parent != "" && strings.Contains(name, ".") && net.ParseIP(strings.Trim(name, "[]")) == nil {
		return parent
	}
	if s.managedHSM {
		return "managedhsm.azure.net"
	}
	return "vault.azure.net"
}

// tokenAnswer has times as text, as App Service does.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	ExpiresOn   string `json:"expires_on"`
	Resource    string `json:"resource"`
	TokenType   string `json:"token_type"`
	ClientID    string `json:"client_id"`
}

type claims struct {
	Audience string `json:"aud"`
	Issuer   string `json:"iss"`
	Tenant   string `json:"tid"`
	Issued   int64  `json:"iat"`
	From     int64  `json:"nbf"`
	Expires  int64  `json:"exp"`
}

// token gives out a token for any resource. It has the shape of a JWT and no
// signature that means anything; the vault takes any token.
func (s *Server) token(c *call) (any, error) {
	if c.r.Method != http.MethodGet {
		return nil, &problem{status: http.StatusMethodNotAllowed, code: "MethodNotAllowed", message: "Use GET."}
	}
	if c.r.Header.Get("X-Identity-Header") == "" {
		return nil, &problem{status: http.StatusForbidden, code: "Forbidden", message: "The header X-IDENTITY-HEADER is missing."}
	}
	resource := c.r.URL.Query().Get("resource")
	if resource == "" {
		return nil, badParameter("resource", "the query parameter is missing")
	}
	now := s.clock.Now()
	expires := now.Add(tokenLife).Unix()
	head, err := segment(map[string]string{"alg": "none", "typ": "JWT"})
	if err != nil {
		return nil, fmt.Errorf("encode token: %w", err)
	}
	body, err := segment(claims{Audience: resource, Issuer: "https://sts.windows.net/" + s.tenant + "/", Tenant: s.tenant,
		Issued: now.Unix(), From: now.Unix(), Expires: expires})
	if err != nil {
		return nil, fmt.Errorf("encode token: %w", err)
	}
	return tokenAnswer{
		AccessToken: head + "." + body + ".bG9jYWw",
		ExpiresOn:   strconv.FormatInt(expires, 10),
		Resource:    resource,
		TokenType:   "Bearer",
		ClientID:    s.tenant,
	}, nil
}
