package worker

import (
	"container/list"
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/signmill/signmill/queue"
)

// unconfirmed remembers deliveries that were done with, reply and all, but
// whose settlement the broker did not confirm. When such a message comes again
// it is settled, and costs no signature and no reply. What is oldest is
// forgotten first; then the job is done anew, and duplicate detection hides the
// second reply.
type unconfirmed struct {
	most int

	mu     sync.Mutex // guards the fields below
	known  map[number]*list.Element
	oldest *list.List // of *ended
}

// number is a message's own: a copy that a producer sends again has another,
// and gets a reply of its own.
type number struct {
	queue    string
	sequence int64
}

// ended is what a delivery came to.
type ended struct {
	number number
	print  [sha256.Size]byte // of the message, should the queue be a new one that counts anew
	how    queue.Settlement
}

// mostUnconfirmed take about 2 MB.
const mostUnconfirmed = 10000

func newUnconfirmed(most int) *unconfirmed {
	return &unconfirmed{most: most, known: map[number]*list.Element{}, oldest: list.New()}
}

// add remembers how a delivery from a queue was to be settled.
func (u *unconfirmed) add(from string, d *queue.Delivery, how queue.Settlement) {
	e := &ended{number{from, d.SequenceNumber}, fingerprint(d.Message), how}
	u.mu.Lock()
	defer u.mu.Unlock()
	if old := u.known[e.number]; old != nil {
		u.oldest.Remove(old)
	}
	u.known[e.number] = u.oldest.PushBack(e)
	if u.oldest.Len() > u.most {
		delete(u.known, u.oldest.Remove(u.oldest.Front()).(*ended).number)
	}
}

// take returns how a delivery from a queue is still to be settled, and forgets it.
func (u *unconfirmed) take(from string, d *queue.Delivery) (how queue.Settlement, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	at := u.known[number{from, d.SequenceNumber}]
	if at == nil {
		return how, false
	}
	e := u.oldest.Remove(at).(*ended)
	delete(u.known, e.number)
	return e.how, e.print == fingerprint(d.Message)
}

// fingerprint tells messages apart by all that their reply depends on.
func fingerprint(m queue.Message) (print [sha256.Size]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q ", m.ID, m.CorrelationID, m.ReplyTo, m.ReplyToSessionID)
	h.Write(m.Body)
	return [sha256.Size]byte(h.Sum(nil))
}
