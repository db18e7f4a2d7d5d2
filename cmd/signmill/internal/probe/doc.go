// Package probe finds out by experiment how a vault counts its quota.
//
// What it is. A [Prober] sends calls, a [Trace] is what came of them, and a
// [Verdict] says which of several ways to count explains it.
//
// How it flows. [Plan] sizes a burst that is larger than the quota, [Prober.Run]
// sends it and looks on at a steady pace, and [Trace.Judge] plays the trace to a
// model of each way to count: windows that are fixed, slide, or begin with a
// call, and buckets. The one whose answers differ least is the verdict.
//
// Guarantees. No call is repeated, and none is sent after one that failed for a
// reason that stays. A verdict that names no window says that none fits. Where
// several fit, the quota is the least that any of them has.
//
// Errors. [Prober.Run] fails with the cause that ended it early, and then its
// trace is in part empty. Refusals and lost answers are no errors, but outcomes.
//
// Concurrency. A prober waits for all its calls. A trace may be judged from
// several goroutines once it is there.
package probe
