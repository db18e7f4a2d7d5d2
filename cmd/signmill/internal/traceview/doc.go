// Package traceview shows traces.
//
// What it is. [Waterfalls] draws each trace for people: what stands below what,
// when it was, and how long. [Lines] writes each span as JSON for programs.
//
// How it flows. Spans in the form of OTLP come in, in any order, and text goes to
// a writer. What is not among them is not waited for: a trace whose parts come in
// two messages is drawn twice.
//
// Guarantees. A name that somebody else chose commands no terminal and poses as no
// other line. Every span is shown once, also one whose parent is elsewhere, or
// that stands below itself, or whose id is another's, too.
//
// Errors. Only those of the writer.
//
// Concurrency. Both may be called from several goroutines, on writers of their own.
package traceview
