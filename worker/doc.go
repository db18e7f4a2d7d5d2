// Package worker is the only place where queue, schema and signer meet. It
// takes jobs from a queue, does their operation with each item, and publishes
// the results.
//
// What it is. [Worker] is one replica. [Policy] decides which key a job may
// use; [Allowance] is the plainest one.
//
// How it flows. A delivery is decoded, allowed, and given its key version;
// its items take fair turns with those of all other jobs; the results become
// one reply; the reply is sent, and then the delivery is completed. Meanwhile
// the lock is renewed. What failed in a way that may pass is tried again: soon
// under the lock, later with a copy that takes the place of the message. One file
// tells each step: intake and load, job, attempt, items and turns, operate,
// decide, reply, trouble, settle, copy; keeper and meter; standstill; unconfirmed.
//
// Guarantees. Each delivery ends once: replied and completed, dead-lettered
// with a [schema.Code] as reason, or given back. A copy carries the attempts and
// the age of its job ([PropertyAttempts], [PropertyFirstEnqueued]), so that both
// are bounded, and has an id of its own; the reply to a job has one id, whichever
// message it was on. Waiting for the quota, a drain, and making room cost a job that is given back
// with a copy neither an attempt nor a delivery. The reply goes out before
// the settlement, under an id derived from the job's, so that duplicate
// detection on the reply queue shows a redelivered job once. A result whose
// lock was lost is thrown away. With an [Audit] each operation is taken down
// before it is begun and before its result is published, or not done. Nothing
// that was not allowed reaches the vault, and no reply goes to a queue that is
// not on the list. While a reply queue takes nothing, what is signed for it is
// kept and tried again under the lock, and nothing more is signed for it; while
// none takes anything, no job is taken in.
//
// Errors. Failures of a job never end the worker: they become replies, dead
// letters, or redeliveries. Run returns an error only when the job queue
// itself refuses the worker for five minutes, or its receiver was closed.
//
// Concurrency. Run is called once. After the end of its context it returns
// within Config.DrainTimeout and 5 seconds, also when the broker is silent. At
// most Config.JobsHeld deliveries are held (lanes have bounds of their own, on top) and for each vault at most
// Config.Concurrency items are with the signer at any time, besides those that
// had to wait for the quota: they line up at a gate of package quota, which
// bounds them when they go. So a vault that is slow takes no turns from others,
// but its jobs are held like theirs. When nothing has come of a key or a vault for
// 15 s, or longer at a slow pace, all but a few of its jobs are given back with a copy, so that those of others
// find room; see [Several]. A job starts no item while one of its own waits there, so that what waits
// grows with the jobs held and not with their items. Where Config.Pace is known,
// no more deliveries are held than can be done inside a lock, and two at least,
// so that a replica does not keep from others what they could do sooner.
package worker
