// Package quotabench judges rate control against models of a vault's quota,
// in virtual time.
//
// What it is. The package itself holds the models: seven readings of "4,000
// units in 10 seconds" ([Shape]), a vault in memory that enforces one of them
// and speaks as much of the Key Vault protocol as its official client needs
// ([Vault]), a network between replica and vault ([Link]), and the figures
// that are read off what arrived ([Ledger]). The real service documents no
// shape, so a control has to do well on all of them. The contestants, the
// scenarios and the marks are in the tests: `make quota-bench` prints the
// whole table, and an ordinary test run checks a part of it.
//
// How it flows. A contestant's workers send calls through a Link of their
// replica; the Link takes the time that a network and a vault would take; the
// Vault admits or refuses at the moment of arrival and notes it; the Ledger
// turns the notes into ratios to the quota.
//
// Guarantees. No figure depends on the speed of the machine: inside a
// testing/synctest bubble 300 seconds of 50 replicas are computed in a few.
// All that is random comes from the seeds that the caller gives. What stays
// is the order of goroutines that wake in the same instant: medians over
// several seeds repeat to about 0.2 points, single runs do not repeat exactly.
//
// Errors. A refused call is a [Throttled]. A Link knows no other failure than
// the end of a context.
//
// Concurrency. Vault and Link may be used from any goroutine. Models are not
// safe for concurrent use; a Vault guards its own.
package quotabench
