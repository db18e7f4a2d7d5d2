// Package estimate foretells how long a campaign takes and what it costs.
//
// What it is. An [Effort] is what is to be done and with what; an [Estimate] is
// what follows from it. A [Kind] is a type of key by the name people give it.
//
// How it flows. [Effort.Estimate] counts the calls to the vault, finds what
// bounds their rate, the quota, the calls in flight or the hardware of a Managed
// HSM, and adds what workers spend on reading keys. It asks nobody.
//
// Guarantees. What the public half of a key can do costs nothing. Rates are
// those that workers plan for. [Effort.Assumptions] tells what an estimate
// cannot know.
//
// Errors. Only [ParseKind] has one. The numbers of an Effort must be positive;
// whoever reads them checks that.
//
// Concurrency. All functions may be called from several goroutines.
package estimate
