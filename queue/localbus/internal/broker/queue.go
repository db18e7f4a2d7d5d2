package broker

import (
	"strings"
	"time"
)

// Suffixes of the paths of dead-letter queues.
const (
	deadSuffix     = "/$DeadLetterQueue"
	transferSuffix = "/$Transfer/$DeadLetterQueue"
)

// Queue is one queue or dead-letter queue. It stays valid through updates;
// after its deletion every method reports NotFound.
type Queue struct {
	entity *entity
	suffix string // of the path, "" for the queue itself

	// Guarded by the entity's mutex.
	all    index             // every record of this queue
	states [3]int            // number of records by state
	shelf  shelf             // available records of a queue without sessions
	locks  map[Token]*record // locked records, those of sessions too
}

// Name returns the name of the queue as spelled at creation. A dead-letter
// queue has the name of its queue.
func (q *Queue) Name() string { return q.entity.name }

// Path returns the path that Open resolves to q: the name, followed by the
// suffix of a dead-letter queue.
func (q *Queue) Path() string { return q.entity.name + q.suffix }

// Properties returns the present properties. Those of a dead-letter queue have
// RequiresSession false, and no time to live, forwarding or duplicate
// detection. After deletion they are those of the last moment.
func (q *Queue) Properties() Properties {
	q.entity.mu.Lock()
	defer q.entity.mu.Unlock()
	p := q.entity.props
	if q.suffix != "" {
		p.RequiresSession, p.RequiresDuplicateDetect, p.DeadLetterOnExpiration = false, false, false
		p.DefaultTimeToLive, p.ForwardTo, p.ForwardDeadLettersTo = 0, "", ""
	}
	return p
}

// fail returns an error about q.
func (q *Queue) fail(op string, k Kind, detail string) error {
	return &Error{Op: op, Queue: q.Path(), Kind: k, Detail: detail}
}

// receivable returns the kind of error that keeps receivers out, or zero.
func (q *Queue) receivable() Kind {
	switch e := q.entity; {
	case e.deleted:
		return NotFound
	case e.props.Status == FullyDisabled || e.props.Status == ReceiveDisabled:
		return Disabled
	}
	return 0
}

// open returns NotFound once q is deleted.
func (q *Queue) open(op string) error {
	if q.entity.deleted {
		return q.fail(op, NotFound, "")
	}
	return nil
}

// readable returns the error that keeps receivers out, or nil.
func (q *Queue) readable(op string) error {
	if k := q.receivable(); k != 0 {
		return q.fail(op, k, "")
	}
	return nil
}

// sendable returns the error that keeps senders out, or nil.
func (q *Queue) sendable(op string) error {
	switch e := q.entity; {
	case e.deleted:
		return q.fail(op, NotFound, "")
	case q.suffix != "":
		return q.fail(op, Invalid, "a dead-letter queue takes no messages from senders")
	case e.props.Status == FullyDisabled || e.props.Status == SendDisabled:
		return q.fail(op, Disabled, "")
	}
	return nil
}

// part returns the queue of the entity that has the suffix, or nil.
func (e *entity) part(suffix string) *Queue {
	for _, q := range e.queues() {
		if strings.EqualFold(q.suffix, suffix) {
			return q
		}
	}
	return nil
}

// CancelScheduled removes scheduled messages, all or none. It reports
// MessageNotFound when one of them is not, or no longer, scheduled.
func (q *Queue) CancelScheduled(numbers ...int64) error {
	e, now := q.entity, q.entity.enter()
	defer e.leave()
	if err := q.open("cancel"); err != nil {
		return err
	}
	for _, n := range numbers {
		if r := q.all.find(n); r == nil || r.state != StateScheduled {
			return q.missing("cancel", n)
		}
	}
	for _, n := range numbers {
		if r := q.all.find(n); r != nil {
			e.drop(r)
		}
	}
	e.touch(now)
	return nil
}

// touch notes that the entity was used.
func (e *entity) touch(now time.Time) { e.accessed = now }
