package broker

// Mode says what happens to a message when it is taken.
type Mode int

// The modes of a consumer. The zero value is PeekLock.
const (
	PeekLock         Mode = iota // it is locked and waits for its settlement
	ReceiveAndDelete             // it is gone
)

// ConsumerConfig describes one receiving link.
type ConsumerConfig struct {
	Mode Mode

	// Notify is called when messages may be available after a Take returned
	// fewer than it was asked for, once for each such Take at most, and when
	// the queue is deleted. It must not block and may call back into the
	// broker. Nil: the owner polls.
	Notify func()
}

// Consumer is one receiving link on a queue, or on one session of it. Its
// methods may be called from any goroutine.
type Consumer struct{}

// Consume adds a consumer. It reports SessionRequired on a queue with
// sessions, Invalid on a queue that forwards, Disabled or NotFound.
func (q *Queue) Consume(c ConsumerConfig) (*Consumer, error) { return nil, nil }

// Take returns up to limit messages in sequence order, without waiting; none
// is no error. In peek-lock mode each carries a lock of the queue's
// LockDuration, in a session that of the session. When it returns fewer than
// limit, Notify will be called once more may be there; consumers are notified
// in the order in which they came away short.
//
// It reports Disabled, NotFound, SessionLockLost, Closed or NoRandom; then
// nothing was taken.
func (c *Consumer) Take(limit int) ([]Delivery, error) { return nil, nil }

// Close ends the consumer. Locks on messages stay until they are settled or
// expire, except in a session: there the session's lock ends, and its locked
// messages become available again without a higher delivery count. Closing
// twice does nothing.
func (c *Consumer) Close() {}
