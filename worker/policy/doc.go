// Package policy owns the worker's file: vaults with their quotas, keys with
// what may be done with them, and who may ask for it.
//
// What it is. [Parse] reads the file, which is YAML. [File] is what it says; it
// decides about each job. [Schema] is the JSON Schema of the file, [Example] a
// file with comments.
//
// How it flows. Bytes become nodes with a line each, nodes become a File, and
// then what the parts say of each other is checked: a key's vault, its
// producers, its reply queues. For a job, [File.Decide] finds out who sent the
// message, then whether that producer may use the key like this. The files tell
// one step each: parse, reader and scalars, vaults, keys, producers, refer;
// decide and claim. [HideClaims] is for those who show messages.
//
// Guarantees. Nothing is allowed that the file does not name. A field that is
// unknown, stands twice, or has a value that is not meant is a fault, never
// ignored. A vault is an https URL under a domain of Key Vault or Managed HSM,
// so that no token goes elsewhere. A file takes time and memory that grow with
// its size, which is bounded; anchors and aliases are refused. A key has one
// purpose under all its aliases. A claim costs at most one verification, and no
// other machine is asked.
//
// Errors. Parse returns all faults at once, as [Faults], with their lines.
// Decide returns a [*Refusal] that names the rule.
//
// Concurrency. A File is not changed after Parse, and may be used from any
// goroutine.
package policy
