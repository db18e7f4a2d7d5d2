// Package files finds, reads and writes the files of a user.
//
// What it is. [Sources] say which files are meant, [Digest] hashes one, and
// [Write], [WriteSecret] and [Prepare] write one.
//
// How it flows. Names come one by one, from the command line, a list or
// directories, so that a million take no memory. A file that is written gets a
// temporary name beside its own first.
//
// Guarantees. A file is written whole or not at all. [WriteSecret] replaces none
// without force. What signmill has written is left out of directories, and a
// pipe or a device in the place of a file keeps nobody waiting.
//
// Errors. They name the file, in a form that is fit to be shown. [BadFile] marks
// what is one file's own fault, so that the others can go on.
//
// Concurrency. All functions may be called from several goroutines.
package files
