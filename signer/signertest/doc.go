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
// an error. What a vault has no keys for is skipped with its own words, and a
// way in which it is known to differ is a [Stray], never a weaker check. The
// suite touches only keys that it made itself.
//
// Other vaults. In a checkout the suite runs against any vault through
// signer/keyvault; see TestConformanceElsewhere there for all variables:
//
//	SIGNMILL_TEST_VAULT_URL=https://emulator.vault.azure.net \
//	SIGNMILL_TEST_VAULT_ADDRESS=127.0.0.1:8444 \
//	SIGNMILL_TEST_VAULT_TOKEN="$TOKEN" SIGNMILL_TEST_VAULT_CA=ca.pem \
//	SIGNMILL_TEST_VAULT_STRAYS=silent-disabled,strict-dates \
//	    go test -count 1 -v -run TestConformanceElsewhere ./signer/keyvault
//
// The emulators that it has been run against, and how each is started, are in
// .github/CONTRIBUTING.md.
//
// Concurrency. Groups of tests run in parallel, each with its own harness.
package signertest
