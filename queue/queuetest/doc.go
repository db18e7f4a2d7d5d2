// Package queuetest owns the conformance suite for implementations of
// queue.Receiver and queue.Sender.
//
// What it is. [Run] tells an adapter and the broker behind it through every
// sentence of queue's contract, in tests that stand alone. [RunVirtual] does
// the same in virtual time, for brokers that live in the test's own process:
// waiting for a lock to expire then takes no time.
//
// How it flows. Each test asks for a [Harness] of its own, with queues that
// are fresh and empty, acts on them through the adapter and looks at what can
// be received afterwards. Nothing is mocked and no broker is asked for its
// inner state.
//
// Guarantees. Tests run in parallel and leave closing to the harness, except
// where closing is what they are about.
//
// Errors. A part of the contract that a harness does not offer is skipped,
// with the reason.
package queuetest
