// Package localvault is a Key Vault-compatible REST server for laptops and
// tests. The official SDKs talk to it unchanged.
//
// # What it is
//
// A vault with freshly made keys: create, import, rotate, get, list, update,
// delete, recover, purge, back up, restore, sign, verify, encrypt, decrypt, wrap
// and unwrap; a Managed HSM also has random bytes. It holds
//
//   - RSA keys of 2048, 3072 and 4096 bits, for RS256 to RS512, PS256 to PS512,
//     RSA1_5, RSA-OAEP and RSA-OAEP-256;
//   - EC keys on P-256, P-384, P-521 and P-256K, for ES256, ES384, ES512 and
//     ES256K;
//   - symmetric keys (oct-HSM) of 128, 192 and 256 bits, for HS256 to HS512 with
//     any of them, and for A128, A192 or A256 with GCM, CBC, CBCPAD and KW by
//     their size.
//
// It enforces the documented weighted quota if told to, and misbehaves on
// request. It imports nothing else of this module, so that a mistake of the
// client's side cannot agree with itself.
//
// # How it flows
//
// [New] makes the keys. [Server.RoundTripper] is a transport that reaches the
// vault in memory, under any host name. [Server.Serve] speaks HTTPS and HTTP on
// one port. A request passes, in this order: authentication, faults,
// api-version, route, key, quota, the key's state, and only then its body.
//
// In memory, use any https host with a parent domain, such as
// https://local.vault.azure.net, and any credential; the SDKs' check of the
// challenged resource may stay on. Over a socket the same is true of
// https://vault.localhost:PORT, once clients trust [Server.CA] and the name
// leads to the loopback address; not every resolver sees to that. For
// https://localhost:PORT and https://127.0.0.1:PORT the check of the challenge
// resource must be switched off (DisableChallengeResourceVerification in Go),
// because these hosts have no parent domain.
//
// Over plain HTTP no token is asked for: SDKs refuse to send one there. A Go
// client with a nil credential works.
//
// A default credential of any language gets its token here with
// IDENTITY_ENDPOINT=http://127.0.0.1:PORT/msi/token and IDENTITY_HEADER set to
// anything.
//
// # Guarantees
//
//   - Keys and the certificate are fresh at each start; everything is lost on exit.
//   - No answer carries a private member of a key. A backup is sealed with a key
//     that ends with the server: all versions come back in this one and in no
//     other.
//   - Versions are 32 lower-case hexadecimal digits, and a kid names the host
//     that was asked. Paths are understood in any case.
//   - EC signatures are r and s at the full width of the curve; the salt of PSS
//     is as long as the hash; a digest of the wrong length is refused
//     (HMAC: see below).
//   - In a sliding window no span of its length takes more units than the quota;
//     a fixed one starts from nothing at each multiple of its length.
//   - What encrypt and wrap make, other implementations read, and the other way
//     round. GCM takes no iv and makes one of 12 bytes; its tag has 16.
//   - A deleted key keeps its name for 90 days of [Config].Clock, unless it is
//     recovered or purged before.
//   - Bodies are read up to 64 KiB, backups up to 8 MiB.
//
// # Errors
//
// Refusals have the service's form:
//
//   - 400 BadParameter; with the inner code KeyTypeNotSupported for a type of key
//     that is not held here, oct on a vault for instance. A wrong size is refused
//     with the size that is needed. A ciphertext that does not decrypt is refused
//     with one text, whatever is wrong with it.
//   - 401 Unauthorized with a challenge.
//   - 403 Forbidden with the inner code KeyDisabled, KeyOperationForbidden,
//     KeyNotYetValid or KeyExpired.
//   - 404 KeyNotFound, also for a deleted key.
//   - 409 Conflict where a name is taken; with the inner code
//     ObjectIsDeletedButRecoverable if a deleted key has it.
//   - 413 for a body that is too long, and 429 Throttled without Retry-After.
//
// # Concurrency
//
// A [Server] is safe for concurrent use, faults and quota included. It starts no
// goroutine outside [Server.Serve], which waits for its own.
//
// # Where it differs from the real service
//
//   - Any token is good; there are no roles, networks or tenants.
//   - One server is one vault, under however many host names.
//   - The inner codes KeyNotYetValid and KeyExpired are a guess; the real ones
//     are not published. Dates hold to the second, without the real leeway.
//   - ES256K signatures always have the lower s and follow from key and digest
//     alone. The service promises neither; do not rely on it.
//   - HSM key types are a name only. A key's attestation is a placeholder on a
//     Managed HSM and 400 on a vault.
//   - No key is released: the target's attestation is refused with 403 and the
//     inner code AccessDenied, and before that a key that is not exportable with
//     KeyNotExportable, which is a guess. Release policies are kept and not read.
//     A software key cannot be exportable.
//   - Nothing is eventual: a key is deleted, recovered or made when the answer
//     says so.
//   - A rotation policy is checked, kept and sets the expiry of a version made by
//     rotate; no key rotates by itself, and nobody is notified. A policy without
//     a notification gets one of 30 days before the expiry, as the service has.
//   - Rotating is charged as creating is. The documentation does not name it.
//   - An HMAC is taken of a value of any length but none. The service's rule is
//     not published.
//   - KW only wraps, GCM and CBC only encrypt, and an iv, tag or aad that an
//     algorithm has no use for is refused. An empty value is refused: SDKs cannot
//     send one. CKM_AES_KEY_WRAP and its padded form are not offered.
//   - Strict-Transport-Security is not sent: browsers would remember it for
//     everything else on the loopback host.
//   - The service's operations on secrets, certificates, roles and whole modules
//     answer 404.
package localvault
