// Package jobfile reads job documents, one after the other, from a file or from
// standard input.
//
// What it is. A [File] is a stream of [Document]s, each a job and its own text.
//
// How it flows. [Open] checks a regular file to its end before anything of it is
// handed on; a pipe is checked as it comes. [File.Trickle] hands on one job at a
// time.
//
// Guarantees. No job is handed on that breaks the contract, or whose id another
// one before it has.
//
// Errors. A fault names the file, the job's number and the line. It is the last
// thing that is handed on.
//
// Concurrency. A File belongs to one reader.
package jobfile
