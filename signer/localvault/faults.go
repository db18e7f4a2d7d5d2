package localvault

import (
	"net/http"
	"sync"
	"time"
)

// Faults are misbehaviours to inject. A count is how many times it shall
// happen; each time takes one off. Zero: never. Only requests that carry a
// token (or need none) are hit, so that a client's first probe uses up nothing.
type Faults struct {
	// Delay holds back each answer, in addition to Config.Latency.
	Delay time.Duration
	// DropRequest ends the connection before the request is looked at.
	DropRequest int
	// DropAnswer carries the request out, charges it, and ends the connection.
	DropAnswer int
	// Expire answers 401, as if the token had run out.
	Expire int
	// Throttle answers 429 without carrying the request out or charging it.
	Throttle int
	// Fail answers FailStatus without carrying the request out.
	Fail int
	// FailStatus is the HTTP status for Fail, 500 to 599. Anything else: 503.
	FailStatus int
	// RetryAfter is sent with 429 and Fail answers, in whole seconds rounded
	// up. Zero: not sent, as captured vaults do.
	RetryAfter time.Duration
	// WrongSignature flips one bit of a signature, HMAC included.
	WrongSignature int
	// WrongVersion works rightly but names another version in the kid of a
	// signature or of an answer to encrypt, decrypt, wrap or unwrap: an
	// existing one where there is one.
	WrongVersion int
	// WrongAlgorithm works rightly but names another algorithm. Only a Managed
	// HSM names it at all.
	WrongAlgorithm int
	// WrongValue flips one bit of what encrypt, decrypt, wrap or unwrap answers.
	WrongValue int
	// ShortIV answers an iv that lacks its first byte, where there is an iv.
	ShortIV int
	// ShortTag answers a tag that lacks its first byte, where there is a tag.
	ShortTag int
	// Unpadded strips leading zeros from r and s of an EC signature. Such
	// numbers are rare, so it signs again until there is one.
	Unpadded int
	// RepeatedR answers an EC signature of r twice instead of r and s.
	RepeatedR int
}

// faultBox holds the faults that are left.
type faultBox struct {
	mu   sync.Mutex // guards left
	left Faults
}

// take uses up one of the counts that field points at, if any is left.
func (b *faultBox) take(field func(*Faults) *int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := field(&b.left)
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

func (b *faultBox) peek() Faults {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left
}

// SetFaults replaces all faults, at any time.
func (s *Server) SetFaults(f Faults) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.left = f
}

// Faults returns what is left of the faults.
func (s *Server) Faults() Faults { return s.faults.peek() }

// refuse answers in the place of the handler while a fault asks for it.
func (s *Server) refuse() error {
	switch {
	case s.faults.take(func(f *Faults) *int { return &f.Expire }):
		return unauthorized()
	case s.faults.take(func(f *Faults) *int { return &f.Throttle }):
		return delayed(throttled(), s.faults.peek().RetryAfter)
	case s.faults.take(func(f *Faults) *int { return &f.Fail }):
		status := s.faults.peek().FailStatus
		if status < 500 || status > 599 {
			status = http.StatusServiceUnavailable
		}
		return delayed(unavailable(status), s.faults.peek().RetryAfter)
	}
	return nil
}

func delayed(p *problem, retryAfter time.Duration) *problem {
	p.retryAfter = retryAfter
	return p
}

// signFaulty signs and then spoils the signature as the faults ask.
func (s *Server) signFaulty(key material, alg algorithm, digest []byte) ([]byte, error) {
	signature, err := key.sign(alg, digest)
	if err != nil {
		return nil, err
	}
	if alg.curve != "" {
		half := len(signature) / 2
		if s.faults.take(func(f *Faults) *int { return &f.RepeatedR }) {
			copy(signature[half:], signature[:half])
		}
		if s.faults.take(func(f *Faults) *int { return &f.Unpadded }) {
			if signature, err = signUnpadded(key, alg, digest); err != nil {
				return nil, err
			}
		}
	}
	if len(signature) > 0 && s.faults.take(func(f *Faults) *int { return &f.WrongSignature }) {
		signature[len(signature)/2] ^= 1
	}
	return signature, nil
}

// signUnpadded returns a signature that lacks the leading zeros of r or s. A
// key with deterministic nonces gives the same signature each time, so it may
// come back whole; the number of tries is bounded.
func signUnpadded(key material, alg algorithm, digest []byte) ([]byte, error) {
	var whole []byte
	for range 4096 {
		signature, err := key.sign(alg, digest)
		if err != nil {
			return nil, err
		}
		half := len(signature) / 2
		r, s := trimZeros(signature[:half]), trimZeros(signature[half:])
		if len(r)+len(s) < len(signature) {
			return append(r, s...), nil
		}
		if whole != nil && string(whole) == string(signature) {
			return whole, nil
		}
		whole = signature
	}
	return whole, nil
}

func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return append([]byte(nil), b...)
}
