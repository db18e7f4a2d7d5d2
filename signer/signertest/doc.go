// Package signertest is the conformance suite for signer.Resolver and
// signer.Signer: what a worker may rely on, stated as tests.
//
// What it is. [Run] takes a function that opens a [Harness] (the
// implementation, and a way to make keys behind it) and runs every promise of
// the contract against it.
//
// How it flows. Keys of every type and size are made, resolved and signed
// with, in every algorithm. Signatures are judged by the standard library,
// and by textbook arithmetic on secp256k1, never by the code under test.
//
// Guarantees. A suite that passes has seen each algorithm with each key that
// fits it, in software and in hardware, and each refusal with its code.
//
// Concurrency. Groups of tests run in parallel, each with its own harness.
package signertest
