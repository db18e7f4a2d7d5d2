// Package signertest is the conformance suite for signer.Keys: what a worker
// may rely on, stated as tests.
//
// What it is. [Run] takes a function that opens a [Harness] (the
// implementation, and a way to make keys behind it) and runs every promise of
// the contract against it.
//
// How it flows. Keys of every type and size are made and resolved, and every
// operation is tried with them in every algorithm. Signatures are judged by
// the standard library, and by textbook arithmetic on secp256k1, never by the
// code under test; what was encrypted must come back.
//
// Guarantees. A suite that passes has seen each operation in each algorithm
// with each key that fits, in software and in hardware, each refusal with its
// code and reason, each limit of an input from both sides, and no plaintext in
// an error. It touches only keys that it made itself.
//
// Concurrency. Groups of tests run in parallel, each with its own harness.
package signertest
