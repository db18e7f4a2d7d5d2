// Package signer owns the contract for the cryptographic operations: keys,
// what is done with them, and the checks before and after.
//
// What it is. [Resolver] turns a [Ref] into a [Key], a versioned key with its
// public half. [Signer], [Verifier], [Encrypter] and [Wrapper] work with such a
// key; [Keys] is all of them. [Verify] checks a signature and [Encrypt]
// encrypts on this machine, and [Check] says beforehand what the vault would
// refuse. [MarshalJWK] and [MarshalPEM] write a public key. The package
// imports schema and no vault's SDK.
//
// How it flows. A job's key is resolved once; the Key is then passed with each
// of the job's items, so that a rotation in mid-job cannot mix versions.
//
// Guarantees. A Signer returns no signature that does not verify with the
// public half of the Key it was given. Signatures are in JOSE form; [DER] and
// [JOSE] convert.
//
// Errors. Implementers translate their SDK's errors once, into an [*Error]
// with a code from schema's vocabulary.
//
// Concurrency. All methods and functions may be called from any goroutine.
package signer
