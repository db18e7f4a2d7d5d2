// Package queue owns the contract between signmill and a message broker:
// messages, deliveries that settle once, receivers and senders.
//
// What it is. [Receiver] and [Sender] are the two interfaces that a broker's
// adapter implements, [Browser] is one that it may; [Message] and [Delivery] are
// what passes through them.
// The package imports nothing of signmill's and no broker's SDK.
//
// How it flows. Receive yields deliveries under a peek lock. Their holder
// renews the lock while it works, then settles each delivery exactly once:
// complete, abandon or dead-letter.
//
// Guarantees. After a settlement succeeded, every further one on the same
// delivery returns [ErrSettled] and reaches no broker. A settlement that
// failed may be tried again. Delivery is at least once: a message that was
// not settled comes back when its lock expires, with a higher Count.
//
// Errors. Adapters translate their SDK's errors once, into an [*Error] that
// wraps one of the sentinels of this package where one fits. Any error that
// matches no sentinel is a passing failure of the broker or the connection.
//
// Concurrency. One goroutine at a time calls Receive. Everything else may be
// called from any goroutine.
package queue
