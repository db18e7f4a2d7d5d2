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
	"github.com/signmill/signmill/schema"
)

// ClaimProperty is the application property that says who sent a message: a
// JWT in compact form (RFC 7519), signed by the producer.
//
//	iss     the producer's token.issuer in the file
//	aud     its token.audience
//	sub     its name
//	jti     the job's id
//	iat     when it was made
//	exp     at most MaxClaimLife later
//	sha256  SHA-256 of the body, in base64url without padding
//	replyTo the message's ReplyTo; absent where that is empty
//
// So it belongs to one job, cannot be moved to another, and cannot have the
// result sent elsewhere. The MessageId does not count: a worker that gives a
// job back for later sends it under another one.
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
	SHA256  string `json:"sha256"`
	ReplyTo string `json:"replyTo"`
}

// identify finds out who sent m. Where the file names producers, a message
// that is none of theirs is refused.
func (f *File) identify(job schema.Job, m queue.Message) (producer, by string, refusal *Refusal) {
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
		return f.claimed(job, m, name, "queue and claim")
	}
	return f.claimed(job, m, "", "claim")
}

// claimed finds out from its claim who sent a job: the owner of its queue, or
// else a producer without a queue of its own.
func (f *File) claimed(job schema.Job, m queue.Message, owner, how string) (producer, by string, refusal *Refusal) {
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
	if refusal := p.Token.verify(name, c); refusal != nil {
		return "", "", refusal
	}
	if refusal := c.said.belongs(name, job, m); refusal != nil {
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
	if text == "" {
		return claim{}, refuse("producers", "nothing tells who sent this job: send it on the producer's own queue, or with a claim in the application property %s", ClaimProperty)
	}
	return parseClaim(text)
}

// parseClaim reads a claim, whatever its signature.
func parseClaim(text string) (claim, *Refusal) {
	if len(text) > MaxClaimBytes {
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
// then whom and when it is for.
func (t *Token) verify(producer string, c claim) *Refusal {
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
	switch {
	case c.said.Issuer != t.Issuer:
		return refuse(at+".issuer", "the claim's iss is %s", quoted(c.said.Issuer))
	case !c.said.Audience.Contains(t.Audience):
		return refuse(at+".audience", "the claim's aud does not name it")
	}
	return c.said.timely(at, time.Now())
}

// timely refuses a claim that is not for this time, or for too long a one.
func (c claims) timely(at string, now time.Time) *Refusal {
	switch {
	case c.IssuedAt == nil || c.Expiry == nil:
		return refuse(at, "the claim lacks iat or exp")
	case c.Expiry.Time().Sub(c.IssuedAt.Time()) > MaxClaimLife:
		return refuse(at, "the claim lives longer than %s from iat to exp", MaxClaimLife)
	case now.After(c.Expiry.Time().Add(claimLeeway)):
		return refuse(at, "the claim expired at %s", c.Expiry.Time().UTC().Format(time.RFC3339))
	case now.Before(c.IssuedAt.Time().Add(-claimLeeway)), c.NotBefore != nil && now.Before(c.NotBefore.Time().Add(-claimLeeway)):
		return refuse(at, "the claim is not valid yet: compare the clocks")
	}
	return nil
}

// belongs refuses a claim of another producer, or for another job.
func (c claims) belongs(producer string, job schema.Job, m queue.Message) *Refusal {
	at := "producers." + producer + ".token"
	sum := sha256.Sum256(m.Body)
	switch {
	case c.Subject != producer:
		return refuse(at, "the claim's sub is %s, and the queue is %s's", quoted(c.Subject), producer)
	case c.ID != job.ID:
		return refuse(at, "the claim's jti is not the job's id: a claim is for one job")
	case c.SHA256 != base64.RawURLEncoding.EncodeToString(sum[:]):
		return refuse(at, "the claim's sha256 is not that of the body: a claim is for one job")
	case c.ReplyTo != m.ReplyTo:
		return refuse(at, "the claim's replyTo is %s, and the message's is %s", quoted(c.ReplyTo), quoted(m.ReplyTo))
	}
	return nil
}
