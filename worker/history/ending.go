package history

import (
	"crypto"
	"fmt"
	"slices"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Reply is a message on a reply queue.
type Reply struct {
	ID            string // its MessageID
	CorrelationID string // the MessageID of the request
	Body          []byte
	EnqueuedAt    time.Time // broker time
}

// Reply notes a reply, and verifies what it publishes.
func (h *History) Reply(r Reply) {
	result, err := schema.DecodeResult(r.Body)
	if err != nil {
		h.blame("reply to %q cannot be read: %v", r.CorrelationID, err)
		return
	}
	h.mu.Lock()
	p := h.of(r.CorrelationID)
	job, final := p.job, r.ID == schema.ReplyID(r.CorrelationID)
	if final {
		p.results = append(p.results, r.EnqueuedAt)
	} else {
		p.notices++
	}
	h.mu.Unlock()
	if final {
		h.verifyFinal(result)
	}
	signed := h.verify(job, result)
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.published == nil {
		p.published = make(map[string]struct{}, len(signed))
	}
	for _, item := range signed {
		p.published[item] = struct{}{}
	}
}

// verifyFinal looks for failures that a worker should have tried again.
func (h *History) verifyFinal(result schema.Result) {
	for _, item := range result.Items {
		if item.Error != nil && item.Error.Retryable {
			h.blame("result of %q has an error for item %q that may pass: %s", result.ID, item.ID, item.Error.Code)
		}
	}
}

// DeadLetter notes a message on the dead-letter queue of the job queue.
func (h *History) DeadLetter(id, reason string) {
	if !slices.Contains(schema.DeadLetterReasons(), schema.Code(reason)) {
		h.blame("dead letter of %q has the reason %q, which is not of the vocabulary", id, reason)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of(id).dead++
}

// verify checks a result against its job, and returns the ids of the items that
// have a good signature.
func (h *History) verify(job schema.Job, result schema.Result) (signed []string) {
	if result.ID != job.ID {
		h.blame("reply to %q is about %q", job.ID, result.ID)
		return nil
	}
	for _, item := range result.Items {
		if item.Error != nil {
			continue
		}
		asked := slices.IndexFunc(job.Items, func(i schema.Item) bool { return i.ID == item.ID })
		if asked < 0 {
			h.blame("result of %q has a signature for item %q, which nobody asked for", job.ID, item.ID)
			continue
		}
		if err := h.verifyItem(job, result.KID, job.Items[asked].Digest, item.Signature); err != nil {
			h.blame("result of %q, item %q: %v", job.ID, item.ID, err)
			continue
		}
		signed = append(signed, item.ID)
	}
	return signed
}

func (h *History) verifyItem(job schema.Job, kid string, digest, signature []byte) error {
	public, err := h.key(kid)
	if err != nil {
		return fmt.Errorf("key %q: %w", kid, err)
	}
	if job.Format == schema.DER {
		if signature, err = signer.JOSE(job.Algorithm, signature); err != nil {
			return err
		}
	}
	return signer.Verify(public, job.Algorithm, digest, signature)
}

// key looks up the public key of a kid.
func (h *History) key(kid string) (crypto.PublicKey, error) {
	h.mu.Lock()
	public, known := h.keys[kid]
	h.mu.Unlock()
	if known {
		return public, nil
	}
	public, err := h.config.Key(kid)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keys[kid] = public
	return public, nil
}

// blame notes a broken promise.
func (h *History) blame(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, fmt.Sprintf(format, args...))
}
