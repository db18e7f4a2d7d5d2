package localbus

import (
	"math"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/amqp"
	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

// Annotations of Service Bus.
const (
	keyLockToken        = "x-opt-lock-token"
	keyEnqueued         = "x-opt-enqueued-time"
	keySequence         = "x-opt-sequence-number"
	keyEnqueuedSequence = "x-opt-enqueue-sequence-number"
	keyLockedUntil      = "x-opt-locked-until"
	keyScheduled        = "x-opt-scheduled-enqueue-time"
	keyPartition        = "x-opt-partition-key"
	keyState            = "x-opt-message-state"
	keySource           = "x-opt-deadletter-source"
)

// lockToken is a lock's token in the byte order of RFC 9562.
type lockToken broker.Token

// tag returns the token as a delivery tag: in the byte order of a .NET Guid.
func (t lockToken) tag() [16]byte {
	return [16]byte{t[3], t[2], t[1], t[0], t[5], t[4], t[7], t[6], t[8], t[9], t[10], t[11], t[12], t[13], t[14], t[15]}
}

// appendDelivery writes a message as a client sees it. Header and annotations
// are made anew; the bare message is copied unless something is to be set in
// it.
func appendDelivery(b []byte, d *broker.Delivery) ([]byte, error) {
	b = header(d).Append(b)
	b = appendDeliveryAnnotations(b, d)
	b = appendAnnotations(b, d)
	if !d.IDFilled && len(d.Overlay) == 0 {
		return append(b, d.Bare...), nil
	}
	return appendBare(b, d)
}

func header(d *broker.Delivery) amqp.Header {
	h := amqp.Header{Durable: d.Durable, DeliveryCount: uint32(d.DeliveryCount)}
	h.Priority = amqp.Opt[uint8]{Value: d.Priority, Set: d.Priority != defaultPriority}
	if ttl := d.TimeToLive / time.Millisecond; ttl > 0 && ttl <= math.MaxUint32 {
		h.TTL = amqp.Some(uint32(ttl))
	}
	return h
}

func appendDeliveryAnnotations(b []byte, d *broker.Delivery) []byte {
	var none broker.Token
	if d.LockToken == none && len(d.DeliveryAnnotations) == 0 {
		return b
	}
	w := amqp.OpenMap(b, amqp.DeliveryAnnotations)
	if d.LockToken != none {
		w.UUID(keyLockToken, amqp.UUID(d.LockToken))
	}
	for _, p := range d.DeliveryAnnotations {
		if p.Key != keyLockToken {
			w.Symbol(amqp.Symbol(p.Key), p.Value)
		}
	}
	return w.Close()
}

func appendAnnotations(b []byte, d *broker.Delivery) []byte {
	w := amqp.OpenMap(b, amqp.MessageAnnotations)
	w.Timestamp(keyEnqueued, d.EnqueuedAt)
	w.Long(keySequence, d.SequenceNumber)
	if !d.LockedUntil.IsZero() {
		w.Timestamp(keyLockedUntil, d.LockedUntil)
	}
	if d.EnqueuedSequenceNumber != 0 {
		w.Long(keyEnqueuedSequence, d.EnqueuedSequenceNumber)
	}
	if d.State != broker.StateActive {
		w.Symbol(keyState, int32(d.State))
	}
	if d.DeadLetterSource != "" {
		w.Symbol(keySource, d.DeadLetterSource)
	}
	for _, p := range d.Annotations {
		if !ownAnnotation(p.Key) {
			w.Symbol(amqp.Symbol(p.Key), p.Value)
		}
	}
	return w.Close()
}

// ownAnnotation reports whether only the broker sets an annotation.
func ownAnnotation(key string) bool {
	switch key {
	case keyEnqueued, keySequence, keyEnqueuedSequence, keyLockedUntil, keyState, keySource:
		return true
	}
	return false
}

// appendBare writes properties and application properties anew and copies the
// body.
func appendBare(b []byte, d *broker.Delivery) ([]byte, error) {
	s, err := amqp.ParseMessage(d.Bare)
	if err != nil {
		return b, err
	}
	switch {
	case d.IDFilled:
		b, err = amqp.AppendPropertiesWithID(b, s.Properties, d.ID)
	case s.Properties != nil:
		b = amqp.AppendSection(b, amqp.PropertiesSection, s.Properties)
	}
	if err != nil {
		return b, err
	}
	if len(d.Overlay) > 0 || s.ApplicationProperties != nil {
		overlay := make(amqp.Map, len(d.Overlay))
		for i, p := range d.Overlay {
			overlay[i] = amqp.Entry{Key: p.Key, Value: p.Value}
		}
		if b, err = amqp.AppendOverlaid(b, s.ApplicationProperties, overlay); err != nil {
			return b, err
		}
	}
	return append(b, s.Body...), nil
}
