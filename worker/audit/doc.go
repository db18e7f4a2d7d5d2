// Package audit owns the audit log: a file with one JSON object in each line,
// in which a line that was edited, dropped, reordered or put in is found.
//
// What it is. [Log] is a worker.Audit that writes; [Verifier] reads and says
// what is wrong where.
//
// How it flows. One goroutine owns the file. It takes all entries that wait,
// gives each its number, its time and the hash of the line before, writes them at
// once, and makes them safe with one fsync; so many small entries cost little
// more than one.
//
// Format. A line is ASCII, and ends with ,"prev":"P","hash":"H"}. H is the
// base64url of the SHA-256 of all bytes of the line before ,"hash". P is H of the
// line before, so that no line can be changed without changing all that follow.
// Lines are numbered from 1 in "seq", and carry the random name of their chain
// in "chain". The first line of a chain is a genesis, whose P is empty. A process
// that finds a file goes on with its chain, and says so in a line; a file that
// grows too large is renamed, and the next one begins with a line that is
// chained to it. Each replica has files and chains of its own.
//
// Guarantees. Record returns when the entry is safe: in the file and synced,
// unless the configuration says less. No text of an entry can make a line of its
// own: what is not printable ASCII is escaped, and each is cut to 512 bytes. What
// a kill left half-written is cut off at the next start, and that is told in a
// line; nothing was done on the strength of it. The chain has no secret: who can
// rewrite the file from some line to its end can make a chain that is whole, and
// who cuts the end off leaves one. Both are found by whoever knows a later hash,
// so keep heads elsewhere: the worker logs them.
//
// Errors. After the first write that failed nothing more is recorded, and Failed
// is closed; with BestEffort a line tells later how many entries were lost.
//
// Concurrency. Log is used from any goroutine, Verifier from one.
package audit
