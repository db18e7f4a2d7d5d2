package schema

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
