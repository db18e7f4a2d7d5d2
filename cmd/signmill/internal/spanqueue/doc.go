// Package spanqueue carries spans over a queue, as messages with OTLP.
//
// What it is. A [Processor] puts the spans of a process on a queue. A [Reader]
// takes them from it, and lets a [Take] decide what becomes of each message: a
// [Relay] hands it on to an endpoint, [Show] shows it.
//
// How it flows. The SDK gives a processor each span as it starts and ends. Spans
// wait until their job has ended, then in a batch until it is full or old, and
// leave in a message whose body is an OTLP request. A reader takes one message at
// a time.
//
// Guarantees. No job waits for its spans, and their memory is bounded: what does
// not fit, or cannot be sent, is dropped and counted. A message that was sent
// twice is seen once. A message leaves the queue when the endpoint has it or it
// was shown; what nobody can use is a dead letter; what is no trace is given back.
// An outage of the endpoint costs no message a delivery.
//
// Errors. A processor logs what it loses and fails on nothing but a flush that has
// no time left. [Reader.Each] ends with an error of the queue, of a take, and on a
// message without spans.
//
// Concurrency. A processor may be used from any goroutine, and owns one, which
// Shutdown ends. A reader belongs to one goroutine, and so does a take.
package spanqueue
