// Package manifest keeps the record of a signing campaign: one entry for each
// file.
//
// What it is. An [Entry] says what became of a file, a [Writer] writes entries
// as they come, and a [Reader] reads them back. The form is JSON, one entry in
// each line between a [Head] and [Counts].
//
// How it flows. [Create] begins a partial file, [Writer.Add] hands each entry to
// the operating system, and [Writer.Finish] gives the file its name. [Open] reads
// a whole manifest, or, when asked for a partial one, as much as a kill has left.
//
// Guarantees. A manifest that bears its name is complete. Only one campaign at a
// time can hold the partial file. An entry that was added outlives the process.
// Neither writer nor reader holds the entries in memory.
//
// Errors. A whole manifest that is cut off is an error, a partial one ends
// early. Errors name the file in a form that is fit to be shown.
//
// Concurrency. A [Writer] may be used from several goroutines, a [Reader] from one.
package manifest
