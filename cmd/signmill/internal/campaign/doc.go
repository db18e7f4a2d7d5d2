// Package campaign signs files in bulk.
//
// What it is. A [Campaign] is a list of files, a manifest, and the jobs and
// replies between them. [Layout] says where it writes, a [Keyring] which keys
// count.
//
// How it flows. [Prepare] checks every file and begins the manifest; a resumed
// campaign first takes over what still holds of the earlier one. [Campaign.Sign]
// hashes the files, submits the hashes in jobs, verifies what the replies bring,
// and records it. [Campaign.Finish] completes the manifest.
//
// Guarantees. Nothing is signed before everything is checked. No signature is
// written that was not verified here, with a key that was chosen here. A
// signature gets its name after its entry is safe, so that a kill at any moment
// leaves what a resumed campaign can go on from. The list of files costs 16 bytes
// of memory for each.
//
// Errors. What is one file's own is in its entry, and the others go on. [OtherKey]
// is the caller's mistake. What ends the campaign is an error of
// [Campaign.Sign], and the manifest can be finished all the same.
//
// Concurrency. A campaign belongs to one goroutine. Those that it starts have
// ended when [Campaign.Sign] returns.
package campaign
