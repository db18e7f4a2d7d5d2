// Package exchange submits jobs to one queue and follows their replies on another.
//
// What it is. An [Exchange] bounds how many jobs are under way, knows each reply
// by its correlation id, and keeps something of the caller's for each job.
//
// How it flows. [Exchange.Run] lets the caller submit through [Exchange.Send],
// hands each reply to an [Answer], and settles it after that. It returns when
// every job that was sent has its answer.
//
// Guarantees. A job has at most one answer here, and a reply is completed only
// after it was answered for. A reply to another's job is given back. Traces of
// workers on the reply queue are passed over.
//
// Errors. An answer that fails, a queue that fails, and a silence that lasts too
// long end it. When soft ends nothing more is sent and what is under way is
// waited for; when hard ends that is given up, and its cause is the error.
//
// Concurrency. Answers run at the same time. All goroutines have ended when
// [Exchange.Run] returns.
package exchange
