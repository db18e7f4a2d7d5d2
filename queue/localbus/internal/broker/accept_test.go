package broker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

func TestNextSessionIsTheLongestFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendTo("b", "b1")
		b.sendTo("a", "a1")
		b.sendTo("c", "c1")
		b.sendTo("b", "b2")
		first := b.acceptNext("b")
		first.Close() // goes to the end of the line
		b.acceptNext("a")
		b.acceptNext("c")
		b.acceptNext("b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.queue.AcceptSession(ctx, broker.SessionConfig{Next: true})
		b.wantKind(err, broker.Timeout)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v lacks its cause", err)
		}
	})
}

func TestNextSessionWaitsInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		got := make(chan string, 3)
		for i := range 3 {
			go func() {
				c, err := b.queue.AcceptSession(t.Context(), broker.SessionConfig{Next: true})
				if err != nil {
					t.Error(err)
					return
				}
				id, _, _ := c.Session()
				got <- fmt.Sprint(i, id)
			}()
			synctest.Wait()
		}
		held := b.accept("x")
		b.sendTo("x", "x1")
		synctest.Wait()
		if len(got) != 0 {
			t.Fatal("a held session was granted")
		}
		b.sendTo("y", "y1", "y2")
		b.sendTo("z", "z1")
		held.Close()
		synctest.Wait()
		all := []string{<-got, <-got, <-got}
		slices.Sort(all) // by waiter
		if want := []string{"0y", "1z", "2x"}; !slices.Equal(all, want) {
			t.Errorf("granted %q, want %q", all, want)
		}
	})
}

func TestWaitersAreTurnedAway(t *testing.T) {
	for name, c := range map[string]struct {
		act  func(*bus)
		want broker.Kind
	}{
		"deleted": {func(b *bus) { b.Delete("jobs") }, broker.NotFound},
		"closed":  {func(b *bus) { b.Close() }, broker.NotFound},
		"disabled": {func(b *bus) {
			b.Update("jobs", broker.Properties{RequiresSession: true, Status: broker.ReceiveDisabled})
		}, broker.Disabled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newSessionBus(t)
				result := make(chan error, 1)
				go func() {
					_, err := b.queue.AcceptSession(t.Context(), broker.SessionConfig{Next: true})
					result <- err
				}()
				synctest.Wait()
				c.act(b)
				b.wantKind(<-result, c.want)
			})
		})
	}
}

func TestCancelledWaiterTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() {
			_, err := b.queue.AcceptSession(ctx, broker.SessionConfig{Next: true})
			result <- err
		}()
		synctest.Wait()
		cancel()
		b.wantKind(<-result, broker.Timeout)
		b.sendTo("s", "1")
		b.acceptNext("s")
	})
}

func TestSessionWithoutMessagesIsNotNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSessionBus(t)
		b.sendMessages(broker.Message{ID: "1", SessionID: "s", HasSession: true, TTL: time.Second})
		pass(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.queue.AcceptSession(ctx, broker.SessionConfig{Next: true})
		b.wantKind(err, broker.Timeout)
	})
}
