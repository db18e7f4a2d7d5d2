package worker

import (
	"errors"
	"fmt"
	"strings"

	"github.com/signmill/signmill/queue"
)

// routes are the reply queues of a moment. They are replaced as a whole and
// never changed. A delivery keeps those that it found.
type routes struct {
	outboxes  map[string]*outbox // by name of the queue
	byDefault string             // the one for jobs without ReplyTo
}

// newRoutes takes over the outboxes of old where their sender is the same.
// Recovered is told when one is out of trouble.
func newRoutes(senders map[string]queue.Sender, byDefault string, old *routes, recovered chan<- struct{}) (*routes, error) {
	if err := checkReplies(senders, byDefault); err != nil {
		return nil, err
	}
	r := &routes{map[string]*outbox{}, byDefault}
	for name, sender := range senders {
		if old != nil && old.outboxes[name] != nil && old.outboxes[name].sender == sender {
			r.outboxes[name] = old.outboxes[name]
			continue
		}
		r.outboxes[name] = newOutbox(sender)
		r.outboxes[name].trouble.recovered = recovered
	}
	return r, nil
}

// checkReplies lists what is wrong with reply queues.
func checkReplies(senders map[string]queue.Sender, byDefault string) error {
	var faults []error
	if senders[byDefault] == nil {
		faults = append(faults, fmt.Errorf("DefaultReply %q is not among Replies", byDefault))
	}
	for name, sender := range senders {
		if sender == nil {
			faults = append(faults, fmt.Errorf("the sender of Replies %q is missing", name))
		}
	}
	return errors.Join(faults...)
}

// queue returns the queue that ReplyTo names, and whether it is listed; an
// answer to a job that names another goes to the default. Queue names are
// case-insensitive in Service Bus.
func (r *routes) queue(replyTo string) (name string, listed bool) {
	if replyTo == "" {
		return r.byDefault, true
	}
	if r.outboxes[replyTo] != nil {
		return replyTo, true
	}
	for name := range r.outboxes {
		if strings.EqualFold(name, replyTo) {
			return name, true
		}
	}
	return r.byDefault, false
}

// SetReplies replaces Config.Replies and Config.DefaultReply for deliveries
// that come from now on. Those that are held are answered where they were to
// be, so that no sender may be closed before Run has returned. On an error
// nothing changes. It may be called at any time.
func (w *Worker) SetReplies(senders map[string]queue.Sender, byDefault string) error {
	for {
		old := w.routes.Load()
		next, err := newRoutes(senders, byDefault, old, w.recovered)
		if err != nil {
			return fmt.Errorf("reply queues: %w", err)
		}
		if w.routes.CompareAndSwap(old, next) {
			return nil
		}
	}
}
