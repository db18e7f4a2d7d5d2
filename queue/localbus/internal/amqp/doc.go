// Package amqp owns the bytes of AMQP 1.0: values, frames, performatives and
// message sections (OASIS AMQP 1.0, parts 1 to 3 and 5).
//
// What it is. Functions that append encoded forms to a caller's buffer, and
// functions that read them back. There is no connection and no state here.
//
// How it flows. A peer's frame body goes through [Parse], which yields the
// performative's code, its [Fields] and the payload behind it; a Decode
// function turns the fields into a struct. Each performative appends itself as
// a whole frame. Messages are cut into [Sections] that refer to the original
// bytes, so that a bare message can travel on unchanged.
//
// Guarantees. Decoding any bytes ends without a panic, within a nesting depth
// of 32 and with memory in proportion to the input. What Append writes, Decode
// reads back as the same value.
//
// Errors. Every decoding error wraps [ErrMalformed].
//
// Concurrency. Nothing is shared. Results of Parse and ParseMessage refer to
// the input; the caller must not change it while they are in use.
package amqp
