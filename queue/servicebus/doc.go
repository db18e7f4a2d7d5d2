// Package servicebus owns signmill's way to Azure Service Bus: it implements
// [queue.Receiver] and [queue.Sender] over the official client.
//
// What it is. [Client] holds one connection to a namespace. From it come a
// [Receiver] for each queue that is read and a [Sender] for each queue that is
// written. A receiver has two links, one to receive and one to settle. Links
// open on first use; Warm connects earlier and reports what is missing.
//
// How it flows. Receive asks the broker for as many messages as the caller has
// room for, and no more. Settlements and renewals go back on the link of the
// message, or by its lock token when that link is gone.
//
// Guarantees. A broken connection is restored inside: attempts are spaced out
// with jitter and never spin. A connection that breaks between receipt and
// settlement loses no settlement as long as the lock lives: the lock token is
// enough, except on a queue with sessions, where the broker ties the lock to
// the link. A message that the client cannot decode never ends the process:
// its lock runs out until the broker dead-letters it.
//
// Errors. All are of type [*queue.Error], with one of queue's sentinels where
// one fits. Configuration faults are the exception: New returns them plainly.
//
// Concurrency. One goroutine at a time calls Receive on a Receiver. Everything
// else may be called from any goroutine.
package servicebus
