package policy

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/signmill/signmill/queue"
)

// pemOf returns a public key in PEM.
func pemOf(t testing.TB, public crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// jwkOf returns a key as JWK.
func jwkOf(t testing.TB, key any, kid string) string {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: kid})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// crm is a producer with an Ed25519 key.
type crm struct {
	private ed25519.PrivateKey
	file    *File
	message queue.Message
}

// claimed returns a file that knows crm, and a message of its.
func claimed(t testing.TB, extra ...string) crm {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(append([]string{jwkOf(t, public, "one")}, extra...))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{version: signmill.policy/v1, vaults: {v: {url: 'https://example.vault.azure.net'}}, keys: {k: {vault: v, key: k}},
		producers: {crm: {token: {issuer: i, audience: a, keys: %s}}, own: {queue: jobs-own}, both: {queue: jobs-both, token: {issuer: i, audience: a, keys: %s}}}}`, keys, keys)
	return crm{private, parse(t, text), queue.Message{ID: "message-1", Queue: "jobs", ReplyTo: "replies", Body: []byte("body")}}
}

// says returns the claims of a good claim for a message.
func says(m queue.Message, change map[string]any) jwt.MapClaims {
	sum := sha256.Sum256(m.Body)
	c := jwt.MapClaims{"iss": "i", "aud": "a", "sub": "crm", "jti": "1", "replyTo": m.ReplyTo, "sha256": base64.RawURLEncoding.EncodeToString(sum[:]),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range change {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

// sign makes a JWT with a library that the decoder does not use.
func sign(t testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// decide returns what becomes of the message with a claim.
func (c crm) decide(claim any) error {
	c.message.Properties = map[string]any{ClaimProperty: claim}
	_, err := c.file.Decide(job("k", "d"), c.message)
	return err
}

func TestClaims(t *testing.T) {
	t.Parallel()
	hour := func(h float64) int64 { return time.Now().Add(time.Duration(h * float64(time.Hour))).Unix() }
	tests := []struct {
		name   string
		change map[string]any
		want   string
	}{
		{"good", nil, ""},
		{"audience among others", map[string]any{"aud": []string{"b", "a"}}, ""},
		{"not before", map[string]any{"nbf": hour(-1)}, ""},
		{"a clock 50 s ahead", map[string]any{"iat": time.Now().Add(50 * time.Second).Unix()}, ""},
		{"a clock 50 s behind", map[string]any{"iat": hour(-1), "exp": time.Now().Add(-50 * time.Second).Unix()}, ""},
		{"a day", map[string]any{"iat": hour(0), "exp": hour(0) + 24*60*60}, ""},
		{"unknown claims", map[string]any{"scope": "all"}, ""},

		{"issuer", map[string]any{"iss": "j"}, `producers.crm.token.issuer: the claim's iss is "j"`},
		{"no issuer", map[string]any{"iss": nil}, `producers.crm.token.issuer: the claim's iss is ""`},
		{"audience", map[string]any{"aud": "b"}, `producers.crm.token.audience: the claim's aud does not name it`},
		{"no audience", map[string]any{"aud": nil}, `producers.crm.token.audience: the claim's aud does not name it`},
		{"nobody", map[string]any{"sub": "nobody"}, `producers: the claim's sub "nobody" is no producer that may send jobs on this queue`},
		{"no subject", map[string]any{"sub": nil}, `producers: the claim's sub "" is no producer that may send jobs on this queue`},
		{"a producer with a queue", map[string]any{"sub": "own"}, `producers: the claim's sub "own" is no producer that may send jobs on this queue`},
		{"a producer with both, elsewhere", map[string]any{"sub": "both"}, `producers: the claim's sub "both" is no producer that may send jobs on this queue`},
		{"another job", map[string]any{"jti": "2"}, `producers.crm.token: the claim's jti is not the job's id: a claim is for one job`},
		{"no job", map[string]any{"jti": nil}, `producers.crm.token: the claim's jti is not the job's id: a claim is for one job`},
		{"another reply queue", map[string]any{"replyTo": "elsewhere"}, `producers.crm.token: the claim's replyTo is "elsewhere", and the message's is "replies"`},
		{"no reply queue", map[string]any{"replyTo": nil}, `producers.crm.token: the claim's replyTo is "", and the message's is "replies"`},
		{"another body", map[string]any{"sha256": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}, `producers.crm.token: the claim's sha256 is not that of the body: a claim is for one job`},
		{"no body", map[string]any{"sha256": nil}, `producers.crm.token: the claim's sha256 is not that of the body: a claim is for one job`},
		{"the body's name in another case", map[string]any{"sha256": nil, "SHA256": says(queue.Message{Body: []byte("body")}, nil)["sha256"]}, `producers.crm.token: the claim's sha256 is not that of the body: a claim is for one job`},
		{"no end", map[string]any{"exp": nil}, `producers.crm.token: the claim lacks iat or exp`},
		{"no beginning", map[string]any{"iat": nil}, `producers.crm.token: the claim lacks iat or exp`},
		{"a long life", map[string]any{"iat": hour(0), "exp": hour(0) + 24*60*60 + 1}, `producers.crm.token: the claim lives longer than 24h0m0s from iat to exp`},
		{"an endless life", map[string]any{"exp": int64(1) << 52}, `producers.crm.token: the claim lives longer than 24h0m0s from iat to exp`},
		{"expired", map[string]any{"iat": hour(-2), "exp": 1700000000}, `producers.crm.token: the claim expired at 2023-11-14T22:13:20Z`},
		{"from the future", map[string]any{"iat": hour(1), "exp": hour(2)}, `producers.crm.token: the claim is not valid yet: compare the clocks`},
		{"not yet", map[string]any{"nbf": hour(0.5)}, `producers.crm.token: the claim is not valid yet: compare the clocks`},
		{"a number as subject", map[string]any{"sub": 17}, `producers: the claim is no JWT: its payload is not one JSON object with the types that RFC 7519 names`},
		{"a text as end", map[string]any{"exp": "tomorrow"}, `producers: the claim is no JWT: its payload is not one JSON object with the types that RFC 7519 names`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := claimed(t)
			err := c.decide(sign(t, jwt.SigningMethodEdDSA, c.private, says(c.message, test.change), nil))
			checkError(t, err, test.want)
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
		t.Errorf("got  %v\nwant %v", err, want)
	}
}

// TestForgedClaims has claims that were not signed with the producer's key.
func TestForgedClaims(t *testing.T) {
	t.Parallel()
	const noJWT = `producers: the claim is no JWT in compact form with one of the algorithms EdDSA, ES256, RS256`
	_, stranger, _ := ed25519.GenerateKey(rand.Reader)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaPEM := pemOf(t, rsaKey.Public())
	c := claimed(t, jwkOf(t, rsaKey.Public(), "two"), jwkOf(t, ecKey.Public(), "three"))
	good := says(c.message, nil)
	signed := func(header map[string]any) string { return sign(t, jwt.SigningMethodEdDSA, c.private, good, header) }
	parts := strings.Split(signed(map[string]any{"kid": "one"}), ".")
	tests := []struct {
		name  string
		claim any
		want  string
	}{
		{"good", strings.Join(parts, "."), ""},
		{"good RSA", sign(t, jwt.SigningMethodRS256, rsaKey, good, map[string]any{"kid": "two"}), ""},
		{"good EC", sign(t, jwt.SigningMethodES256, ecKey, good, map[string]any{"kid": "three"}), ""},
		{"none", sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good, map[string]any{"kid": "one"}), noJWT},
		{"HMAC with the public key", sign(t, jwt.SigningMethodHS256, []byte(rsaPEM), good, map[string]any{"kid": "two"}), noJWT},
		{"another algorithm of the key", sign(t, jwt.SigningMethodRS512, rsaKey, good, map[string]any{"kid": "two"}), noJWT},
		{"algorithm of another key", sign(t, jwt.SigningMethodES256, ecKey, good, map[string]any{"kid": "two"}), `producers.crm.token.keys: the claim's alg is "ES256", and the key is for RS256`},
		{"a stranger's key", sign(t, jwt.SigningMethodEdDSA, stranger, good, map[string]any{"kid": "one"}), `producers.crm.token.keys: the claim's signature does not verify`},
		{"a stranger's key in the header", sign(t, jwt.SigningMethodEdDSA, stranger, good, map[string]any{"kid": "one", "jwk": json.RawMessage(jwkOf(t, stranger.Public(), "one"))}), `producers.crm.token.keys: the claim's signature does not verify`},
		{"unknown key", signed(map[string]any{"kid": "four"}), `producers.crm.token.keys: the claim's kid "four" is none of the producer's keys`},
		{"no key", signed(nil), `producers.crm.token.keys: the claim's kid "" is none of the producer's keys`},
		{"unknown critical header", signed(map[string]any{"kid": "one", "crit": []string{"x"}, "x": 1}), `producers.crm.token.keys: the claim's signature does not verify`},
		{"changed payload", parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"crm"}`)) + "." + parts[2], `producers.crm.token.keys: the claim's signature does not verify`},
		{"no signature", parts[0] + "." + parts[1] + ".", `producers.crm.token.keys: the claim's signature does not verify`},
		{"two parts", parts[0] + "." + parts[1], noJWT},
		{"five parts", strings.Join(parts, ".") + ".a.b", noJWT},
		{"text", "hello", noJWT},
		{"JSON", `{"payload":"e30","signatures":[]}`, noJWT},
		{"no text", 17, `producers: nothing tells who sent this job: send it on the producer's own queue, or with a claim in the application property signmill-producer`},
		{"empty", "", `producers: nothing tells who sent this job: send it on the producer's own queue, or with a claim in the application property signmill-producer`},
		{"too long", strings.Repeat("a", MaxClaimBytes+1), `producers: the claim has 4097 bytes, and 4096 is the limit`},
		{"payload twice the same claim", rawJWT(t, c.private, `{"sub":"crm","sub":"crm"}`), `producers: the claim is no JWT: its payload is not one JSON object with the types that RFC 7519 names`},
		{"payload is a list", rawJWT(t, c.private, `[]`), `producers: the claim is no JWT: its payload is not one JSON object with the types that RFC 7519 names`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkError(t, c.decide(test.claim), test.want)
		})
	}
}

// rawJWT signs a payload as it is.
func rawJWT(t testing.TB, key ed25519.PrivateKey, payload string) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestClaimStaysWithItsJob moves a good claim to other messages.
func TestClaimStaysWithItsJob(t *testing.T) {
	t.Parallel()
	c := claimed(t)
	claim := sign(t, jwt.SigningMethodEdDSA, c.private, says(c.message, nil), nil)
	checkError(t, c.decide(claim), "")
	other := c
	other.message.Body = []byte("another body")
	checkError(t, other.decide(claim), `producers.crm.token: the claim's sha256 is not that of the body: a claim is for one job`)
	other = c
	other.message.ReplyTo = ""
	checkError(t, other.decide(claim), `producers.crm.token: the claim's replyTo is "replies", and the message's is ""`)
	other = c
	other.message.ID = "again-1" // given back for later
	checkError(t, other.decide(claim), "")
}

// TestQueueAndClaim wants both where the file names both.
func TestQueueAndClaim(t *testing.T) {
	t.Parallel()
	c := claimed(t)
	c.message.Queue = "jobs-both"
	good := sign(t, jwt.SigningMethodEdDSA, c.private, says(c.message, map[string]any{"sub": "both"}), nil)
	checkError(t, c.decide(good), "")
	checkError(t, c.decide(nil), `producers: nothing tells who sent this job: send it on the producer's own queue, or with a claim in the application property signmill-producer`)
	crm := sign(t, jwt.SigningMethodEdDSA, c.private, says(c.message, nil), nil)
	checkError(t, c.decide(crm), `producers.both.token: the claim's sub is "crm", and the queue is both's`)
	c.message.Properties = map[string]any{ClaimProperty: good}
	if d, err := c.file.Decide(job("k", "d"), c.message); err != nil || d.Producer != "both" || d.By != "queue and claim" {
		t.Errorf("got %+v, %v", d, err)
	}
	c.message.Properties = map[string]any{ClaimProperty: "forged"}
	if d, err := c.file.Decide(job("k", "d"), c.message); err == nil || d.Producer != "" {
		t.Errorf("a forged claim: got %+v, %v, want no producer", d, err)
	}
}

// TestClaimKeys reads public keys of every kind, and refuses the others.
func TestClaimKeys(t *testing.T) {
	t.Parallel()
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	small, _ := rsa.GenerateKey(rand.Reader, 1024)
	der, _ := x509.MarshalPKCS8PrivateKey(private)
	privatePEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	tests := []struct{ name, key, want string }{
		{"Ed25519 in PEM", pemOf(t, public), ""},
		{"P-256 in PEM", pemOf(t, ec.Public()), ""},
		{"JWK", jwkOf(t, public, ""), ""},
		{"certificate", certificateOf(t, ec), ""},
		{"private in PEM", privatePEM, errPrivate.Error()},
		{"private JWK", jwkOf(t, private, ""), errPrivate.Error()},
		{"symmetric JWK", jwkOf(t, []byte("secret"), ""), "use a key for EdDSA (Ed25519), ES256 (P-256) or RS256 (RSA with 2048 to 4096 bits)"},
		{"P-384", pemOf(t, p384.Public()), "use a key for EdDSA (Ed25519), ES256 (P-256) or RS256 (RSA with 2048 to 4096 bits)"},
		{"small RSA", pemOf(t, small.Public()), "use a key for EdDSA (Ed25519), ES256 (P-256) or RS256 (RSA with 2048 to 4096 bits)"},
		{"two in one", pemOf(t, public) + pemOf(t, ec.Public()), "something follows the first block of PEM: use one file for each key"},
		{"no JWK", "{", "this is no JWK: use a public key of RFC 7517"},
		{"neither", "-----BEGIN x", "this is neither a JWK nor PEM: use a public key"},
		{"other PEM", "-----BEGIN X-----\n-----END X-----\n", `PEM of the type "X": use PUBLIC KEY or CERTIFICATE`},
		{"for encryption", strings.Replace(jwkOf(t, public, ""), "{", `{"use":"enc",`, 1), `the JWK's use is "enc", and a claim is signed: use sig`},
		{"for another algorithm", strings.Replace(jwkOf(t, ec.Public(), ""), "{", `{"alg":"ES384",`, 1), `the JWK is for "ES384", and such a key is used with ES256 here`},
		{"too long", "{" + strings.Repeat(" ", maxKeyBytes), "the key has 16385 bytes, and 16384 is the limit"},
		{"a file that is not read", "crm.pem", `no file "crm.pem" is read here: put the key itself in`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := &reader{}
			data, err := r.keyText(test.key)
			if err == nil {
				_, err = parseClaimKey(data)
			}
			checkError(t, err, test.want)
		})
	}
}

// certificateOf returns a certificate in PEM.
func certificateOf(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestKeyFiles reads keys that the file names.
func TestKeyFiles(t *testing.T) {
	t.Parallel()
	public, _, _ := ed25519.GenerateKey(rand.Reader)
	text := fmt.Sprintf(strings.Replace(base, `'{"kty":"OKP","crv":"Ed25519","kid":"crm-1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'`, "%s", 1), "crm.pem, gone.pem, crm.pem")
	files := map[string]string{"crm.pem": pemOf(t, public)}
	_, err := Parse([]byte(text), Options{ReadFile: func(name string) ([]byte, error) {
		if data, ok := files[name]; ok {
			return []byte(data), nil
		}
		return nil, errors.New("no such file")
	}})
	want := []string{`line 13: producers.crm.token.keys[1]: the file "gone.pem" cannot be read: no such file`, `line 13: producers.crm.token.keys[2]: another key has the id `}
	if got := lines(err); len(got) != 2 || got[0] != want[0] || !strings.HasPrefix(got[1], want[1]) {
		t.Errorf("got %q, want %q", got, want)
	}
}
