// Package history owns the checker of delivery promises: it compares what a
// producer asked for with what the queues show in the end.
//
// What it is. A [History] takes in events of jobs; a [Report] counts them and
// says which promises are broken. It is for tests: crash, connection, drain and
// simulation programmes all judge by it.
//
// How it flows. The programme notes each job before it is sent and once it is
// accepted, each delivery to a worker where it can see one, each message on the
// reply and dead-letter queues, and what is left on the job queue. Check judges
// at the end.
//
// Guarantees. Each published signature is verified with the key that the result
// names. A job is lost when it was accepted and ended in neither a result nor a
// dead letter. A result is a duplicate when another one of the same job lies
// less than the duplicate window before it.
//
// Errors. A broken promise is never an error of a call: Report.Err lists them.
//
// Concurrency. Everything may be called from any goroutine. Results are
// verified on the caller's.
package history
