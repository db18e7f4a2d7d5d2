// Package deadletter looks after the dead letters of a queue.
//
// What it is. A [Letter] is what can be told of a dead letter without its
// content, a [Report] all that may be shown of one. A [Filter] says which are
// meant, a [Census] counts them, and a [Sweep] does something to them.
//
// How it flows. [Scan] looks at a queue page by page and takes nothing. A sweep
// then receives from the front on, acts on what was counted, and holds the rest
// aside under its locks until it is over. The act is [Replay] or [Purge].
//
// Guarantees. A sweep acts on nothing that came after the count, and touches
// nothing behind the last match. A replay sends before it completes, under an id
// that follows from the first one, so that it may be killed at any moment and
// begun again, and others may do the same at the same time. What a job encrypts
// or wraps is in no report, nor is the claim of its producer or another JWT; a
// replay carries all of it.
//
// Errors. [Sweep.Run] returns what stands in the way of all; what is one
// message's own is in [Sweep.Failed], and the others go on.
//
// Concurrency. A sweep belongs to one goroutine. Sweeps may run side by side.
package deadletter
