package broker

// Queue is one queue or dead-letter queue. It stays valid through updates;
// after its deletion every method reports NotFound.
type Queue struct{}

// Name returns the name of the queue as spelled at creation. A dead-letter
// queue has the name of its queue.
func (q *Queue) Name() string { return "" }

// Path returns the path that Open resolves to q: the name, followed by the
// suffix of a dead-letter queue.
func (q *Queue) Path() string { return "" }

// Properties returns the present properties. Those of a dead-letter queue have
// RequiresSession false, and no time to live, forwarding or duplicate
// detection. After deletion they are those of the last moment.
func (q *Queue) Properties() Properties { return Properties{} }

// Send stores messages, all or none, and returns their sequence numbers in
// order. A message that duplicate detection drops counts as accepted; its
// number is that of no message. A queue that forwards returns its own numbers.
//
// It reports Invalid, TooLarge, Full, Disabled, SessionRequired or NotFound.
// Clients cannot send to a dead-letter queue: Invalid.
func (q *Queue) Send(messages ...Message) ([]int64, error) { return nil, nil }

// CancelScheduled removes scheduled messages, all or none. It reports
// MessageNotFound when one of them is not, or no longer, scheduled.
func (q *Queue) CancelScheduled(numbers ...int64) error { return nil }
