// Package keyvault signs with keys in Azure Key Vault and Managed HSM through
// the official SDK, and never lets a signature out unchecked.
//
// What it is. [Client] serves any number of vaults. It implements
// signer.Resolver and signer.Signer, and is the only place that speaks to a
// vault: one azkeys client for each vault, one transport for all.
//
// How it flows. Resolve answers from a cache, or asks the vault once however
// many callers wait. Sign checks what can be checked without the vault, calls
// it with an explicit version, compares the version that answered with the
// one that was asked, verifies the signature with the cached public key, and
// only then returns it.
//
// Guarantees. The SDK's own retries are off: one loop here repeats a call,
// with full jitter, never earlier than the vault's hint, and never past the
// caller's deadline. A token goes only to hosts under known vault domains,
// over TLS. A fresh client asks for one token per vault, not for one per
// waiting call. Answers are read up to a fixed size; redirects are not
// followed.
//
// Errors. Every failure is a [*signer.Error]: its message names the key and
// what to do, its cause what the vault said and the request's id, which
// stands in the vault's log. Neither holds a token or a digest.
//
// Concurrency. All methods may be called from any goroutine. No goroutine
// outlives the call that needed it, idle connections aside.
package keyvault
