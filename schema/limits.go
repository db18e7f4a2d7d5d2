package schema

import "encoding/base64"

// Limits bounds what Decode and Encode accept. Producer and worker should use
// the same values. A field below 1 means its default.
type Limits struct {
	MaxBytes       int // whole job document, in bytes; default DefaultMaxBytes
	MaxItems       int // items of one job; default DefaultMaxItems
	MaxResultBytes int // body of the reply, in bytes; default DefaultMaxResultBytes
}

// The defaults of Limits. A message on the standard tier of Service Bus holds
// 256 KB with everything in it. A reply's headers and properties take less
// than ReplyHeadroom: ids of at most 128 characters and a trace context.
// Source: https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
const (
	DefaultMaxBytes       = 256 * 1024
	DefaultMaxItems       = 1000
	ReplyHeadroom         = 8 * 1024
	DefaultMaxResultBytes = 256*1024 - ReplyHeadroom
)

// The fixed bounds of version 1. Lengths are in Unicode characters unless
// they say bytes.
const (
	MaxID         = 128  // a job's or an item's id
	MaxKey        = 127  // an alias; also the longest key name in Key Vault
	MaxLabels     = 32   // labels of one job
	MaxLabelName  = 64   // one label's name
	MaxLabelValue = 256  // one label's value
	MaxKID        = 512  // a versioned key identifier
	MaxMessage    = 1024 // an error's message, in bytes
	MaxCode       = 24   // an error's code, in bytes; holds for future codes, too
)

// minMessage is how many bytes of each error's message survive Result.Encode,
// however full the result is.
const minMessage = 64

// maxRSA is the size of a signature by the largest RSA key of Key Vault, 4096
// bits. Source: https://learn.microsoft.com/azure/key-vault/keys/about-keys
const maxRSA = 4096 / 8

// MaxSignature returns the size in bytes of the longest signature that a makes
// in format f, or 0 for an unknown algorithm. For RSA it assumes a key of 4096
// bits, the largest in Key Vault.
func (a Algorithm) MaxSignature(f SignatureFormat) int {
	switch {
	case a.Family() == PKCS1, a.Family() == PSS:
		return maxRSA
	case a == ES256, a == ES256K:
		return pick(f, 64, 72)
	case a == ES384:
		return pick(f, 96, 104)
	case a == ES512:
		return pick(f, 132, 139)
	}
	return 0
}

// pick returns the size that belongs to f. A DER signature is a SEQUENCE of
// two INTEGERs, each a byte longer than the curve where its top bit may be set.
func pick(f SignatureFormat, jose, der int) int {
	if f == DER {
		return der
	}
	return jose
}

// The constant parts of an encoded result, see MaxResultBytes.
const (
	resultFrame    = `{"schema":"` + ResultVersion + `","id":,"status":"succeeded","kid":"","labels":,"items":[]}`
	itemFrame      = `{"id":,},`
	signatureFrame = `"signature":""`
	errorFrame     = `"error":{"code":"","message":"","retryable":false}`
)

// MaxResultBytes returns how many bytes the result of j can take at worst.
// A job for which this is over Limits.MaxResultBytes is refused.
//
//	88 + id + 512 (kid) + labels
//	+ for each item: 9 + id + the larger of
//	    14 + base64url length of the longest signature (683 characters for RSA)
//	    50 + 24 (code) + 64 (message)
//
// where id and labels count as JSON, with quotes and escapes, 0 without labels.
func (j Job) MaxResultBytes() int {
	signed := len(signatureFrame) + base64.RawURLEncoding.EncodedLen(j.Algorithm.MaxSignature(j.Format))
	failed := len(errorFrame) + MaxCode + minMessage
	total := len(resultFrame) + quotedLen(j.ID) + MaxKID + len(appendLabels(nil, j.Labels))
	for i := range j.Items {
		total += len(itemFrame) + quotedLen(j.Items[i].ID) + max(signed, failed)
	}
	return total
}

// filled returns l with the defaults in place.
func (l Limits) filled() Limits {
	fill(&l.MaxBytes, DefaultMaxBytes)
	fill(&l.MaxItems, DefaultMaxItems)
	fill(&l.MaxResultBytes, DefaultMaxResultBytes)
	return l
}

func fill(field *int, byDefault int) {
	if *field < 1 {
		*field = byDefault
	}
}
