package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// signature is a shared access signature:
//
//	sr=RESOURCE&sig=SIGNATURE&se=SECONDS&skn=RULE
type signature struct {
	resource string // escaped, as it was sent: this is what was signed
	scope    string // the resource in plain
	sum      []byte
	seconds  string // as it was sent
	expires  time.Time
	rule     string
}

// readSAS judges a shared access signature without its scheme.
func (c *Checker) readSAS(text, address string) (Grant, error) {
	s, err := parseSAS(text)
	if err != nil {
		return Grant{}, err
	}
	r, ok := c.signer(s)
	if !ok {
		return Grant{}, &Error{InvalidSignature, "The token has an invalid signature."}
	}
	if !within(address, s.scope) || !withinPath(pathOf(address), fold(r.Scope)) {
		return Grant{}, &Error{InvalidAudience, "The token is for another resource than '" + address + "'."}
	}
	return Grant{Rights: r.Rights, Expires: s.expires}, nil
}

// signer finds the rule whose key made the signature. A name may stand for
// several rules, of the namespace and of queues.
func (c *Checker) signer(s signature) (Rule, bool) {
	rules := c.Rules
	if c.Lookup != nil {
		rules = append(rules[:len(rules):len(rules)], c.Lookup(s.rule)...)
	}
	for _, r := range rules {
		if r.Name == s.rule && r.Key != "" && hmac.Equal(s.sum, sign(r.Key, s.resource, s.seconds)) {
			return r, true
		}
	}
	return Rule{}, false
}

// sign computes a signature over a resource and an end as they were sent.
func sign(key, resource, seconds string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(resource + "\n" + seconds))
	return h.Sum(nil)
}

func parseSAS(text string) (signature, error) {
	fields := map[string]string{}
	for part := range strings.SplitSeq(text, "&") {
		name, value, ok := strings.Cut(part, "=")
		if _, twice := fields[name]; !ok || twice {
			return signature{}, malformed("it has to be sr=...&sig=...&se=...&skn=...")
		}
		fields[name] = value
	}
	s := signature{resource: fields["sr"], seconds: fields["se"]}
	plain := map[string]string{}
	for _, name := range []string{"sr", "sig", "se", "skn"} {
		// Plus signs stay: base64 has them, and not everybody escapes them.
		value, err := url.PathUnescape(fields[name])
		if err != nil || value == "" {
			return signature{}, malformed("field %s is missing or badly escaped", name)
		}
		plain[name] = value
	}
	seconds, err := strconv.ParseInt(plain["se"], 10, 64)
	if err != nil || seconds < 0 || seconds > maxSeconds {
		return signature{}, malformed("field se has to be a time in Unix seconds")
	}
	if s.sum, err = base64.StdEncoding.DecodeString(plain["sig"]); err != nil {
		return signature{}, malformed("field sig has to be in base64")
	}
	s.scope, s.rule, s.expires = plain["sr"], plain["skn"], time.Unix(seconds, 0)
	return s, nil
}

// maxSeconds is the end of the year 9999, the last one that the service knows.
const maxSeconds = 253402300799

// within reports whether an address lies in a scope. Schemes, ports, queries
// and upper case make no difference.
func within(address, scope string) bool {
	return hostOf(address) == hostOf(scope) && withinPath(pathOf(address), pathOf(scope))
}

// withinPath reports whether one path lies under another, segment by segment.
func withinPath(path, scope string) bool {
	rest, ok := strings.CutPrefix(path, scope)
	return ok && (scope == "" || rest == "" || rest[0] == '/')
}

func pathOf(address string) string {
	_, path, _ := strings.Cut(bare(address), "/")
	return fold(path)
}

func hostOf(address string) string {
	host, _, _ := strings.Cut(bare(address), "/")
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return fold(host)
}

// bare removes the scheme and the query.
func bare(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	address, _, _ = strings.Cut(address, "?")
	return address
}

func fold(path string) string { return strings.Trim(strings.ToLower(path), "/") }
