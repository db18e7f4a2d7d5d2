// Package verify checks signatures with nothing but files.
//
// What it is. A [Check] is one file whose signature is to be verified, a
// [Finding] is what came of it.
//
// How it flows. [Manifest] makes the checks of a manifest; who has no manifest
// makes them by hand. [All] does them, some at a time, in their order.
//
// Guarantees. A file that has changed since its manifest was written does not
// verify, and no signature does without a public key. Neither network nor vault
// is asked.
//
// Errors. A signature that does not verify is a finding; what keeps the rest from
// being checked is an error, and ends the sequence.
//
// Concurrency. A sequence belongs to one reader.
package verify
