package broker

import (
	"bufio"
	"fmt"
	"io"
	"sync"
)

// tokens draws random tokens. Its mutex is taken while an entity's is held,
// never the other way round.
type tokens struct {
	mu     sync.Mutex // guards source
	source *bufio.Reader
}

func newTokens(r io.Reader) *tokens {
	return &tokens{source: bufio.NewReaderSize(r, 4096)}
}

func (t *tokens) token() (Token, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, err := t.source.Peek(len(Token{}))
	if err != nil {
		return Token{}, fmt.Errorf("random token: %w", err)
	}
	token := Token(b)
	_, _ = t.source.Discard(len(token)) // it has been peeked at
	return token, nil
}

// freshToken draws a lock token for q. A token that is in use, or zero, as a
// poor source may give, is counted upwards until it is new.
func (q *Queue) freshToken() (Token, error) {
	t, err := q.entity.broker.random.token()
	if err != nil {
		return t, &Error{Op: "lock", Queue: q.Path(), Kind: NoRandom, Err: err}
	}
	for t == (Token{}) || q.locks[t] != nil {
		t.increment()
	}
	return t, nil
}

// increment adds one to t as a big-endian number.
func (t *Token) increment() {
	for i := len(t) - 1; i >= 0; i-- {
		t[i]++
		if t[i] != 0 {
			return
		}
	}
}
