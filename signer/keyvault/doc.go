// Package keyvault works with keys in Azure Key Vault and Managed HSM through
// the official SDK, does here what needs the public half only, and never lets
// a signature out unchecked.
//
// What it is. [Client] serves any number of vaults. It implements
// signer.Keys, and is the only place that speaks to a vault: one azkeys client
// for each vault, one transport for all. [PrivateKey] and [Decrypter] are a
// key in the shape of the standard library.
//
// How it flows. Resolve answers from a cache, or asks the vault once however
// many callers wait. Each operation checks what can be checked without the
// vault. Verify, encrypt and wrapKey with a public key are then done here. All
// else is asked of the vault with an explicit version; the answer's version,
// algorithm (where it is repeated), iv, additional data and lengths are
// compared with what was asked. A signature is verified with the public key,
// an HMAC by a second call, and only then returned.
//
// What cannot be told here: whether AES encrypted to the right ciphertext, and
// whether a plaintext of the right length is the right one. Who must know
// decrypts again, or puts a digest inside.
//
// [Client.Vault] gives a handle on one vault for those who keep keys: it makes,
// imports, lists, changes, rotates, backs up and deletes them. What would be
// done twice if it were repeated is not repeated after a lost answer; what the
// vault takes its time for is awaited.
//
// A call first passes the breakers of its vault and its key, which let one at a
// time through while there is no answer, and then, where Config.Gate gives one,
// a gate of package quota, so that calls are paced before they are sent. A
// throttled call passes the gate again, and pays again.
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
// stands in the vault's log. Neither holds a token, a digest or a
// plaintext, nor the reason why a ciphertext was refused.
//
// Concurrency. All methods may be called from any goroutine. No goroutine
// outlives the call that needed it, idle connections aside.
package keyvault
