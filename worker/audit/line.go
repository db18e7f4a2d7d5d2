package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/signmill/signmill/worker"
)

// Events of the log itself.
const (
	eventGenesis   worker.AuditEvent = "genesis"   // the first line of a chain
	eventResumed   worker.AuditEvent = "resumed"   // a process goes on with a file
	eventContinued worker.AuditEvent = "continued" // the first line of a further file
	eventLost      worker.AuditEvent = "lost"      // so many entries could not be written
)

// version is the value of "v".
const version = 1

// Bounds of a line, in bytes. Texts are cut before they are escaped, which makes
// them at most six times as long.
const (
	maxText  = 512
	maxCalls = 4
	maxLine  = 64 << 10
)

// chain is where a chain stands. The goroutine that writes owns it.
type chain struct {
	name string // random
	seq  int64  // of the last line; zero: there is none
	head string // its hash
}

// newChain returns a chain without a line.
func newChain() chain { return chain{name: rand.Text()} }

// line is what a line tells besides its place in the chain.
type line struct {
	worker.AuditEntry
	count int64 // bytes cut off by resumed, entries lost
}

// add appends a line to b.
func (c *chain) add(b []byte, l line, now time.Time) []byte {
	begin := len(b)
	c.seq++
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, version, 10)
	b = field(b, "chain", c.name)
	b = number(b, "seq", c.seq)
	b = append(b, `,"time":"`...)
	b = now.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = append(b, '"')
	b = l.append(b)
	b = append(b, `,"prev":"`...)
	b = append(b, c.head...)
	b = append(b, '"')
	sum := sha256.Sum256(b[begin:])
	head := base64.RawURLEncoding.AppendEncode(nil, sum[:])
	c.head = string(head)
	b = append(b, `,"hash":"`...)
	b = append(b, head...)
	return append(b, "\"}\n"...)
}

// append writes the fields of an entry that are not empty.
func (l line) append(b []byte) []byte {
	b = field(b, "event", string(l.Event))
	b = field(b, "job", l.Job)
	b = field(b, "item", l.Item)
	b = field(b, "alias", l.Alias)
	b = field(b, "kid", l.KID)
	b = field(b, "operation", string(l.Operation))
	b = field(b, "algorithm", string(l.Algorithm))
	b = binary(b, "digest", l.Digest)
	b = binary(b, "made", l.Made)
	b = field(b, "queue", l.Queue)
	b = field(b, "producer", l.Producer)
	b = field(b, "message", l.Message)
	b = number(b, "number", l.Number)
	b = number(b, "delivery", int64(l.Delivery))
	b = calls(b, l)
	b = field(b, "outcome", l.Outcome)
	b = field(b, "trace", l.Trace)
	return number(b, "count", l.count)
}

// calls writes the last requests to the vault.
func calls(b []byte, l line) []byte {
	if len(l.Calls) == 0 {
		return b
	}
	b = append(b, `,"requests":[`...)
	for i, c := range l.Calls[max(0, len(l.Calls)-maxCalls):] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"client":"`...)
		b = text(b, c.Client)
		b = append(b, `","vault":"`...)
		b = text(b, c.Vault)
		b = append(b, `"}`...)
	}
	return append(b, ']')
}

func field(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":"`...)
	b = text(b, value)
	return append(b, '"')
}

func number(b []byte, name string, value int64) []byte {
	if value == 0 {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return strconv.AppendInt(b, value, 10)
}

func binary(b []byte, name string, value []byte) []byte {
	if len(value) == 0 {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":"`...)
	b = base64.RawURLEncoding.AppendEncode(b, value[:min(len(value), maxText)])
	return append(b, '"')
}

// text writes s inside quotes, in printable ASCII without a quote, a backslash
// or anything that means something to HTML.
func text(b []byte, s string) []byte {
	cut := len(s) > maxText
	if cut {
		s = s[:maxText]
	}
	for i, r := range s {
		switch {
		case r == utf8.RuneError && cut && i > maxText-utf8.UTFMax: // half a character at the cut
		case r >= ' ' && r < 0x7f && r != '"' && r != '\\' && r != '<' && r != '>' && r != '&':
			b = append(b, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = escape(escape(b, high), low)
		default:
			b = escape(b, r)
		}
	}
	if cut {
		b = escape(b, '…')
	}
	return b
}

func escape(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
