package worker_test

import (
	"context"
	"sync"

	"github.com/signmill/signmill/queue"
)

// history counts what the workers received.
type history struct {
	mu         sync.Mutex // guards the fields below
	deliveries map[string]int
	copies     map[string]map[int64]bool // sequence numbers by message id
}

func newHistory() *history {
	return &history{deliveries: map[string]int{}, copies: map[string]map[int64]bool{}}
}

func (h *history) add(d *queue.Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deliveries[d.ID]++
	if h.copies[d.ID] == nil {
		h.copies[d.ID] = map[int64]bool{}
	}
	h.copies[d.ID][d.SequenceNumber] = true
}

// recorded is a receiver that keeps a history.
type recorded struct {
	queue.Receiver
	history *history
}

func (r recorded) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	got, err := r.Receiver.Receive(ctx, limit)
	for _, d := range got {
		r.history.add(d)
	}
	return got, err
}
