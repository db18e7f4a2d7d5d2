package redisshare_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/signer/quota/redisshare"
	"github.com/signmill/signmill/signer/quota/redisshare/redistest"
)

// tokens is an identity whose tokens last for five minutes, and a store that ends
// each connection with the token that it was made with.
type tokens struct {
	store *redistest.Store
	asked atomic.Int32
	fails atomic.Bool
}

func (l *tokens) login(context.Context) (user, password string, err error) {
	if l.fails.Load() {
		return "", "", errors.New("no identity")
	}
	password = fmt.Sprint("token-", l.asked.Add(1))
	l.store.RequireUserAuth("object-id", password)
	return "object-id", password, nil
}

func (l *tokens) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := l.store.Dialer("a")(ctx, network, address)
	if err == nil {
		time.AfterFunc(5*time.Minute, func() { _ = c.Close() })
	}
	return c, err
}

func (l *tokens) join(t *testing.T) *replica {
	t.Helper()
	share, err := redisshare.New(redisshare.Config{URL: "redis://store", Vault: "v", Guard: 1, Dial: l.dial, Login: l.login})
	if err != nil {
		t.Fatal(err)
	}
	return start(t, share)
}

// TestTokensEnd asks for half an hour, in which each token and what was made with
// it ends six times: no question fails, and the gate is never told to go on alone.
func TestTokensEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		l := &tokens{store: store}
		r := l.join(t)
		after(5 * time.Second)
		r.ask(1)
		first := len(r.parts)
		for range 30 * 12 {
			if _, err := r.Ask(t.Context(), []quota.Units{1}, nil); err != nil {
				t.Fatal(err)
			}
			after(5 * time.Second)
		}
		for _, p := range r.parts[first:] {
			if p.Slots == nil {
				t.Fatalf("the gate was told to go on alone: %+v", p)
			}
		}
		if n := l.asked.Load(); n < 12 {
			t.Errorf("%d tokens, want one for each session and more", n)
		}
	})
}

// TestNoLogin goes on alone while there is no token for a new session.
func TestNoLogin(t *testing.T) {
	inBubble(t, func(t *testing.T, store *redistest.Store) {
		l := &tokens{store: store}
		r := l.join(t)
		after(5 * time.Second)
		r.ask(1)
		l.fails.Store(true)
		after(6 * time.Minute)
		if p := r.part(); p.Slots != nil || p.Replicas != 1 {
			t.Errorf("without a token the part is %+v, want to go on alone", p)
		}
		l.fails.Store(false)
		after(3 * time.Second)
		if p := r.part(); p.Slots == nil {
			t.Errorf("with a token again the part is %+v", p)
		}
	})
}

// TestTwoWaysToLogIn are a fault.
func TestTwoWaysToLogIn(t *testing.T) {
	t.Parallel()
	_, err := redisshare.New(redisshare.Config{URL: "redis://store", Vault: "v", PasswordEnv: "A", Login: (&tokens{}).login})
	if err == nil || !strings.Contains(err.Error(), "both a password and Login") {
		t.Errorf("got %v", err)
	}
}
