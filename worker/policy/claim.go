package policy

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/signmill/signmill/queue"
)

// ClaimProperty is the application property that says who sent a message: a
// JWT in compact form (RFC 7519), signed by the producer.
//
//	iss     the producer's token.issuer in the file
//	aud     its token.audience
//	sub     its name
//	jti     the MessageId
//	iat     when it was made
//	exp     at most MaxClaimLife later
//	sha256  SHA-256 of the body, in base64url without padding
//
// So it belongs to one message and cannot be moved to another.
const ClaimProperty = "signmill-producer"

// Bounds of a claim.
const (
	MaxClaimBytes = 4096           // of the whole JWT
	MaxClaimLife  = 24 * time.Hour // from iat to exp
	claimLeeway   = time.Minute    // by which clocks may differ
)

// claims is what a claim says.
type claims struct {
	jwt.Claims
	SHA256 string `json:"sha256"`
}

// identify finds out who sent m. Where the file names producers, a message
// that is none of theirs is refused.
func (f *File) identify(m queue.Message) (producer, by string, refusal *Refusal) {
	if len(f.Producers) == 0 {
		return "", "", nil
	}
	for name, p := range f.Producers {
		if p.Queue == "" || !strings.EqualFold(p.Queue, m.Queue) {
			continue
		}
		if p.Token == nil {
			return name, "queue", nil
		}
		return f.claimed(m, name, "queue and claim")
	}
	return f.claimed(m, "", "claim")
}

// claimed finds out who sent m from its claim: the owner of its queue, or else
// a producer without a queue of its own.
func (f *File) claimed(m queue.Message, owner, how string) (producer, by string, refusal *Refusal) {
	c, refusal := readClaim(m)
	if refusal != nil {
		return "", "", refusal
	}
	name := c.said.Subject
	if owner != "" {
		name = owner
	}
	p, known := f.Producers[name]
	if !known || p.Queue != "" && owner == "" {
		return "", "", refuse("producers", "the claim's sub %s is no producer that may send jobs on this queue", quoted(name))
	}
	if refusal := p.Token.verify(name, c, m); refusal != nil {
		return "", "", refusal
	}
	return name, how, nil
}

// claim is one that was read and not verified.
type claim struct {
	*jose.JSONWebSignature
	said claims
}

// readClaim reads the claim of a message, whatever its signature.
func readClaim(m queue.Message) (claim, *Refusal) {
	text, _ := m.Properties[ClaimProperty].(string)
	switch {
	case text == "":
		return claim{}, refuse("producers", "nothing tells who sent this job: send it on the producer's own queue, or with a claim in the application property %s", ClaimProperty)
	case len(text) > MaxClaimBytes:
		return claim{}, refuse("producers", "the claim has %d bytes, and %d is the limit", len(text), MaxClaimBytes)
	}
	signed, err := jose.ParseSignedCompact(text, claimAlgorithms())
	if err != nil {
		return claim{}, refuse("producers", "the claim is no JWT in compact form with one of the algorithms EdDSA, ES256, RS256")
	}
	c := claim{JSONWebSignature: signed}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &c.said); err != nil {
		return claim{}, refuse("producers", "the claim is no JWT: its payload is not one JSON object with the types that RFC 7519 names")
	}
	return c, nil
}

// verify checks a claim: first its signature, with the one key that it names,
// then what it says.
func (t *Token) verify(producer string, c claim, m queue.Message) *Refusal {
	at := "producers." + producer + ".token"
	header := c.Signatures[0].Header
	i := slices.IndexFunc(t.keys, func(k claimKey) bool { return k.id == header.KeyID || header.KeyID == "" && len(t.keys) == 1 })
	switch {
	case i < 0:
		return refuse(at+".keys", "the claim's kid %s is none of the producer's keys", quoted(header.KeyID))
	case header.Algorithm != string(t.keys[i].algorithm):
		return refuse(at+".keys", "the claim's alg is %s, and the key is for %s", quoted(header.Algorithm), t.keys[i].algorithm)
	}
	if _, err := c.Verify(t.keys[i].public); err != nil {
		return refuse(at+".keys", "the claim's signature does not verify")
	}
	return t.check(at, producer, c.said, m)
}

// check compares what a claim says with the file, the message and the time.
func (t *Token) check(at, producer string, said claims, m queue.Message) *Refusal {
	now := time.Now()
	sum := sha256.Sum256(m.Body)
	switch {
	case said.Issuer != t.Issuer:
		return refuse(at+".issuer", "the claim's iss is %s", quoted(said.Issuer))
	case !said.Audience.Contains(t.Audience):
		return refuse(at+".audience", "the claim's aud does not name it")
	case said.Subject != producer:
		return refuse(at, "the claim's sub is %s, and the queue is %s's", quoted(said.Subject), producer)
	case said.ID == "" || said.ID != m.ID:
		return refuse(at, "the claim's jti is not the MessageId: a claim is for one message")
	case said.SHA256 != base64.RawURLEncoding.EncodeToString(sum[:]):
		return refuse(at, "the claim's sha256 is not that of the body: a claim is for one message")
	case said.IssuedAt == nil || said.Expiry == nil:
		return refuse(at, "the claim lacks iat or exp")
	case said.Expiry.Time().Sub(said.IssuedAt.Time()) > MaxClaimLife:
		return refuse(at, "the claim lives longer than %s from iat to exp", MaxClaimLife)
	case now.After(said.Expiry.Time().Add(claimLeeway)):
		return refuse(at, "the claim expired at %s", said.Expiry.Time().UTC().Format(time.RFC3339))
	case now.Before(said.IssuedAt.Time().Add(-claimLeeway)), said.NotBefore != nil && now.Before(said.NotBefore.Time().Add(-claimLeeway)):
		return refuse(at, "the claim is not valid yet: compare the clocks")
	}
	return nil
}
