package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/signmill/signmill/worker"
)

// Problem is what is wrong with a line.
type Problem string

// The problems.
const (
	Unreadable Problem = "unreadable" // it is no line of an audit log
	Torn       Problem = "torn"       // it has no end: a process died or still writes, or the file was cut
	Edited     Problem = "edited"     // its content is not what its hash was made of
	Missing    Problem = "missing"    // lines before it are missing
	Reordered  Problem = "reordered"  // it comes again, or after a later one
	Replaced   Problem = "replaced"   // the line before it is another one than when it was written
	Foreign    Problem = "foreign"    // it is of another chain
	Beginning  Problem = "beginning"  // the beginning of the file is missing
	Head       Problem = "head"       // no line has the hash that was expected: the end is missing, or all was made anew
)

// Finding is one thing that is wrong.
type Finding struct {
	File    string  `json:"file,omitempty"`
	Line    int     `json:"line,omitempty"` // from 1
	Problem Problem `json:"problem"`
	Text    string  `json:"text"` // for people
}

// Chain is what was seen of a chain.
type Chain struct {
	Name  string                    `json:"chain"`
	First int64                     `json:"first"` // number of the first line seen; above 1 where earlier files were not given
	Last  int64                     `json:"last"`
	Head  string                    `json:"head"` // hash of the last line
	Count map[worker.AuditEvent]int `json:"events"`
}

// Verifier reads audit logs. The zero value is ready. Memory does not grow with
// the length of a log.
type Verifier struct {
	Expect   string        // a hash that some line must have; "": none
	Found    func(Finding) // told of each finding
	Problems int           // findings so far
	Lines    int           // lines so far
	Chains   []*Chain      // in the order of their first lines

	met bool // a line has Expect
}

// maxChains bounds what a file can make a Verifier keep.
const maxChains = 10000

// File reads one file. Files of one chain are given in their order. The error is
// that of the reader.
func (v *Verifier) File(name string, from io.Reader) error {
	r := bufio.NewReaderSize(from, maxLine)
	w := walk{Verifier: v, file: name}
	for {
		text, err := r.ReadSlice('\n')
		w.n++
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			w.finding(Unreadable, "is longer than any line of an audit log")
			if err := skipLine(r); err != nil {
				return ignoreEOF(err)
			}
			continue
		case errors.Is(err, io.EOF):
			if len(text) > 0 {
				w.finding(Torn, "is not complete: the process that wrote it died, it is being written, or the file was cut off")
			}
			return nil
		case err != nil:
			return err
		}
		w.line(bytes.TrimSuffix(text, []byte("\n")))
	}
}

func skipLine(r *bufio.Reader) error {
	for {
		if _, err := r.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// End reports what can only be known at the end.
func (v *Verifier) End() {
	if v.Expect != "" && !v.met {
		v.report(Finding{Problem: Head, Text: "no line has the hash " + v.Expect + ": lines at the end are missing, or the log was made anew"})
	}
}

func (v *Verifier) report(f Finding) {
	v.Problems++
	if v.Found != nil {
		v.Found(f)
	}
}

// walk is the way through one file.
type walk struct {
	*Verifier
	file  string
	n     int    // of the present line
	chain *Chain // of the line before; nil: this is the first one
}

func (w *walk) finding(p Problem, format string, args ...any) {
	w.report(Finding{w.file, w.n, p, fmt.Sprintf(format, args...)})
}

// line checks one line against those before. Whatever is wrong with it, the next
// one is checked against it, so that one change is told once.
func (w *walk) line(text []byte) {
	w.Lines++
	r, problem := parse(text)
	if r.Hash == "" {
		w.finding(Unreadable, "%s", problem)
		return
	}
	if problem != "" {
		w.finding(Edited, "%s", problem)
	}
	if r.Hash == w.Expect {
		w.met = true
	}
	c := w.place(r, problem == "")
	if c == nil {
		return
	}
	c.Last, c.Head = r.Seq, r.Hash
	if len(c.Count) < 100 {
		c.Count[r.Event]++
	}
	w.chain = c
}

// place finds the chain of a line and checks its place there. It returns nil
// when there is none.
func (w *walk) place(r record, whole bool) *Chain {
	c := w.known(r.Chain)
	switch {
	case c == nil && r.Event != eventGenesis && w.chain != nil:
		w.finding(Foreign, "is of chain %q, which did not begin here", r.Chain)
		return nil
	case c == nil:
		if r.Event != eventGenesis && r.Event != eventContinued {
			w.finding(Beginning, "is number %d: what was before it is missing", r.Seq)
		}
		if len(w.Chains) == maxChains {
			w.finding(Foreign, "is of one chain too many")
			return nil
		}
		c = &Chain{Name: r.Chain, First: r.Seq, Count: map[worker.AuditEvent]int{}}
		w.Chains = append(w.Chains, c)
		if r.Event == eventGenesis && (r.Seq != 1 || r.Prev != "") {
			w.finding(Beginning, "is a genesis and not number 1")
		}
	case r.Seq > c.Last+1:
		w.finding(Missing, "is number %d and follows %d: %d lines are missing", r.Seq, c.Last, r.Seq-c.Last-1)
	case r.Seq <= c.Last:
		w.finding(Reordered, "is number %d and follows %d", r.Seq, c.Last)
	case r.Prev != c.Head && whole:
		w.finding(Replaced, "is chained to another line than the one before it, number %d", c.Last)
	}
	return c
}

func (w *walk) known(name string) *Chain {
	if w.chain != nil && w.chain.Name == name {
		return w.chain
	}
	for _, c := range w.Chains {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// record is what is needed of a line.
type record struct {
	V     int               `json:"v"`
	Chain string            `json:"chain"`
	Seq   int64             `json:"seq"`
	Event worker.AuditEvent `json:"event"`
	Prev  string            `json:"prev"`
	Hash  string            `json:"hash"`
}

// The end of a line: ,"hash":"H"} with 43 characters of base64url.
const (
	hashMark   = `,"hash":"`
	hashLength = 43
	lineEnd    = `"}`
)

// parse reads a line. Without a hash it is no line at all; with a hash and a
// problem its content is not what the hash was made of.
func parse(text []byte) (r record, problem string) {
	at := len(text) - len(hashMark) - hashLength - len(lineEnd)
	if at < 0 || string(text[at:at+len(hashMark)]) != hashMark || !bytes.HasSuffix(text, []byte(lineEnd)) {
		return record{}, "is no line of an audit log: it does not end with a hash"
	}
	if err := json.Unmarshal(text, &r); err != nil || r.V != version || r.Chain == "" || r.Seq < 1 {
		return record{}, "is no line of an audit log: it is no JSON object with v, chain and seq"
	}
	r.Hash = string(text[at+len(hashMark) : len(text)-len(lineEnd)])
	sum := sha256.Sum256(text[:at])
	if base64.RawURLEncoding.EncodeToString(sum[:]) != r.Hash {
		return r, "is not what its hash was made of: it was edited"
	}
	return r, ""
}
