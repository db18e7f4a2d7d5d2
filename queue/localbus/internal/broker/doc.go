// Package broker owns the state of Service Bus queues: messages, locks,
// sessions, dead letters and the rules that move a message between them.
//
// What it is. A [Broker] holds queues by name. Each [Queue] takes messages
// with [Queue.Send] and hands them out through a [Consumer]. Everything lives
// in memory and speaks no protocol; AMQP and the management API stand on top.
//
// How it flows. Send stores a message as active, or as scheduled until its
// time has come. [Consumer.Take] locks active messages and returns them as
// deliveries. [Queue.Settle] ends a lock by its token. A lock that expires, or
// an abandoned message, becomes available again with a higher delivery count
// until the queue's limit moves it to the dead-letter queue.
//
// Guarantees. A message that Send accepted is in exactly one place until it is
// completed, taken in receive-and-delete mode, cancelled, or dropped as
// expired or as a duplicate. At any moment a message has at most one lock. A
// lock belongs to its token, not to the consumer: it survives the consumer,
// unless it is part of a session. Every method sees the effects of all
// deadlines up to the clock's present time, however late a timer fires.
//
// Where it differs from the service. A queue forwards over one hop only, at
// once, and what cannot be forwarded goes to the transfer dead-letter queue
// without further attempts. A message's place in line is its sequence number,
// also in the dead-letter queue. AutoDeleteOnIdle and partitions are stored
// but have no effect. Memory is the only store.
//
// Errors. Every error is an [*Error] whose Kind says what happened. Nothing
// panics on data.
//
// Concurrency. All methods may be called from any goroutine. Each queue
// (with its two dead-letter queues) has one mutex, the broker's table of names
// another, the source of tokens a third. Only the last is ever taken under
// another one, and none is held while a callback runs. The package starts no
// goroutine: timers of the [Clock] call in.
package broker
