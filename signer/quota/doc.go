// Package quota paces calls to a key vault so that they use what the vault
// allows, and never storm it.
//
// # What it is
//
// A [Gate] is one budget of one vault: a number of [Units] in a window, shared
// by all replicas. [Costs] tells what a call costs. A [Share] is this replica's
// part: [Static], counted by [DNS], or [Slots] of a source that knows the whole
// fleet. A [Subscription] is one more budget above several vaults. A [Breaker]
// keeps calls from a vault or a key that gives no answer. Create, release and
// import draw on budgets of their own, see [Class.Budget]: one gate each.
//
// # How it flows
//
//	pass, err := gate.Enter(quota.WithCaller(ctx, caller), cost)
//	for err == nil {
//		result := call()
//		pass.Leave(result)
//		if result.Outcome != quota.Throttled { break }
//		pass, err = pass.Again(ctx)
//	}
//
// A call that meets no line and no debt goes at once. Others wait in lanes, and
// in these by job; the dispatcher gives turns at the pace of the pacer. Results
// go to the controller. It believes in a part of the configured quota, the
// scale, which it lowers a little for a single 429. Several in a row mean that
// the quota is used up: calls stop, and single ones probe until one succeeds.
// How long that took tells the new scale. Afterwards the controller climbs back,
// and never above what is configured. The files tell one step each: cost,
// share, pacer, lane, turns, gate, dispatch, pass; controller, run, probe,
// boundary, climb; stock and ask for slots.
//
// # Guarantees
//
//   - Any span sees at most rate x (span + 50 ms) units of a replica and one call
//     more; with slots that is the rate of the whole fleet. A slot that is not
//     used in time is lost. Nothing is promised in advance, so a change of the
//     rate, of the replicas or of the quota applies to all that wait, at once.
//   - What was paid is never given back, and a call that is throttled pays again.
//   - Jobs of a lane get equal units while they have work. A lane gets its part
//     by weight, and at least its floor; what it does not use goes to others.
//   - Who gives up waiting has paid nothing and takes nothing from others.
//   - No answer that is lost stops the gate: a probe, a try and a question for
//     slots end after a time of their own.
//   - No vault model and no Retry-After are assumed; where one is sent, the whole
//     gate heeds it, up to a minute.
//   - Enter and Leave without a line allocate nothing.
//
// What cannot be promised: without a source of slots each of N replicas must see
// its own 429s, so after a cut of the quota fifty of them see up to 2 % for as
// long as it lasts, and more where the keys are dear. A quota that was raised
// again is found within one to three minutes, or half a minute with slots.
//
// # Errors
//
// Enter returns the error of its context, [ErrFull], [ErrClosed], or a
// [WaitError] with [ErrTooLate]. A Breaker returns a WaitError with [ErrOpen].
// None of them was sent to the vault. Failures of a Share are logged, and the
// part that was told last stays in force.
//
// # Concurrency
//
// All methods may be called at the same time. A gate's state has one lock. It
// runs one goroutine for the turns and one for the share, with slots two more;
// Close ends them and waits.
package quota
