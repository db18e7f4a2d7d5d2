package schema

import "fmt"

// Package fmt calls no methods below a pointer that a verb does not suit, such
// as a *Item in a slice that is printed with %s, and would show the bytes of
// each Secret. So whatever holds a Secret is printed like %+v, for every verb.
// Job has a field of the name Format and must do with String, which leaves %c
// and %U, for a pointer to a Job inside something else, as they are.

// String returns j like %+v, with the secrets of its items hidden.
func (j Job) String() string {
	type job Job
	return fmt.Sprintf("%+v", job(j))
}

// GoString returns the same as String.
func (j Job) GoString() string { return j.String() }

// Format writes i like %+v, with its plaintext hidden.
func (i Item) Format(f fmt.State, _ rune) {
	type item Item
	fmt.Fprintf(f, "%+v", item(i))
}

// Format writes r like %+v, with the secrets of its items hidden.
func (r Result) Format(f fmt.State, _ rune) {
	type result Result
	fmt.Fprintf(f, "%+v", result(r))
}

// Format writes i like %+v, with its plaintext hidden.
func (i ItemResult) Format(f fmt.State, _ rune) {
	type itemResult ItemResult
	fmt.Fprintf(f, "%+v", itemResult(i))
}
