// Package display writes for people.
//
// What it is. Names and texts that others chose, numbers and times in the form
// in which they are shown, tables, and the progress of long work.
//
// How it flows. A command gives what it has to say to a function here, and
// writes what comes back. [Table] and [Progress] write themselves. What
// programs read is JSON, and comes from elsewhere.
//
// Guarantees. A text that went through [OneLine], [Error], [Paragraph] or a
// [Table] commands no terminal and poses as no other line. Where nobody looks,
// [Progress] writes lines, and no control characters.
//
// Errors. Only [Table.Close] has one: that of its writer.
//
// Concurrency. [Progress] may be used from several goroutines, a [Table] from one.
package display
