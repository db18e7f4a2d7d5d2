// Package localbus owns a Service Bus namespace in memory, for laptops and
// tests: queues behind AMQP 1.0, to which the official SDKs of Azure Service
// Bus connect unchanged.
//
// What it is. A [Server] has queues with peek locks, sessions, scheduled and
// deferred messages, duplicate detection, forwarding and dead-letter queues. It
// is reached in memory through [Server.Dial], which works inside a virtual-time
// test bubble, or over any listener. Links send and receive on QUEUE and on
// QUEUE/$DeadLetterQueue; $cbs takes tokens; QUEUE/$management peeks, schedules,
// renews locks and settles by lock token.
//
// One port takes it all: [Server.Serve] tells AMQP, HTTP and TLS around either by
// the first byte. The HTTP side, [Server.Handler], is the management API for
// queues that admin clients and autoscalers use, AMQP inside WebSockets, and
// GET /health. An [Authority] makes certificates for loopback names.
// [ReadConfig] reads the official emulator's configuration file.
//
// How it flows. Each connection has two goroutines. One reads frames, hands
// sent messages to the broker and notes credit. The other waits for work:
// it takes messages for links that have credit out of the broker, gathers
// frames, and writes many of them at once. A message's properties, body and
// footer travel as the bytes that came in; header and annotations are made anew,
// and application properties are only rewritten when a settlement changes them.
//
// Guarantees. A message is accepted only once the broker has it. A message lock
// survives its link and its connection; a session's lock ends with its link.
// Credit and windows are honoured both ways. A peer that does not read stops
// being read, and is hung up on after twice the idle time. Close ends every
// connection and waits for all goroutines. Memory taken for a connection is
// bounded: frame and message size, 5,000 links, unfinished messages of 200 MiB,
// waiting responses of 64 MiB and one more. What queues hold is bounded by
// their size limit, which counts the bytes that clients sent and 512 more for
// each message.
//
// Errors. New reports all faults of its configuration at once. What a client
// does wrong is answered with the condition and text that the real service
// uses, where clients depend on them; it never ends the server.
//
// Concurrency. All methods may be called from any goroutine. The state of a
// connection has one lock, named mu there; the broker has its own and never
// calls back into a connection except through its inbox.
//
// Where it differs from the real service:
//
//   - State lives in memory and is lost on Close.
//   - There are queues only: no topics, subscriptions, rules or transactions.
//   - The lock tokens that it gives out are random, the sequence numbers count
//     from 1 in each queue without a partition.
//   - The management API says that the namespace is of the Standard tier, but
//     takes message sizes of the Premium one. Queues that are idle stay.
//   - A JSON Web Token is believed; nobody checks its signature.
//   - Nothing is throttled, and idle links live, unless the configuration says so.
//   - A message that is too large and was sent settled ends its link; the real
//     service may drop it.
//   - A batch is stored as one: all of it or nothing.
//   - Texts of errors are our own, except for those that clients look for.
//   - Links are detached 250 ms after their queue was updated or deleted.
//   - A closed connection or session does not show which of its last frames
//     were taken in, like any network; the real service may keep links alive
//     across a move between hosts, this one never moves.
package localbus
