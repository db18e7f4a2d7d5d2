package exchange

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
)

// TestEveryJobIsAnswered: the end comes with the last answer, each with what was
// kept, and the broker has forgotten every reply then.
func TestEveryJobIsAnswered(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		done := r.start(t.Context(), t.Context(), 3)
		r.take(2)
		r.reply("run.2", "run.1")
		r.take(1)
		if got := r.Unanswered(); got != 1 {
			t.Errorf("got %d unanswered, want 1", got)
		}
		r.reply("run.3")
		r.ends(done, nil, "[run.1:1:of run.1 run.2:2:of run.2 run.3:3:of run.3]")
		if got := r.Unanswered() + r.waits("replies"); got != 0 {
			t.Errorf("got %d jobs or replies left, want none", got)
		}
	})
}

// TestNothingToDo: who submits nothing waits for nothing.
func TestNothingToDo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		began := time.Now()
		r.ends(r.start(t.Context(), t.Context(), 0), nil, "[]")
		if took := time.Since(began); took > time.Second {
			t.Errorf("got %s, want no wait", took)
		}
	})
}

// TestWindow: no more jobs are under way than it holds, and an answer makes room.
func TestWindow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		done := r.start(t.Context(), t.Context(), 5)
		sent := 0
		for _, want := range []int{2, 3, 4, 5, 5} {
			<-time.After(time.Second)
			synctest.Wait()
			if got := r.waits("jobs"); got != want {
				t.Errorf("after %d answers: got %d jobs sent, want %d", sent, got, want)
			}
			sent++
			r.reply(fmt.Sprint("run.", sent))
		}
		r.ends(done, nil, "[run.1:1:of run.1 run.2:2:of run.2 run.3:3:of run.3 run.4:4:of run.4 run.5:5:of run.5]")
	})
}

// TestCorrelation: a reply is known by the job's CorrelationID if it has one.
func TestCorrelation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		done := make(chan error, 1)
		go func() {
			done <- r.Run(t.Context(), t.Context(), func(soft, ctx context.Context) error {
				return r.Send(soft, ctx, queue.Message{ID: "any", CorrelationID: "run.7"}, 7)
			}, r.answer)
		}()
		r.take(1)
		r.reply("run.7")
		r.ends(done, nil, "[run.7:7:of run.7]")
	})
}

// TestSilence: a silence is told once, ends the exchange when it has lasted too
// long, and is over with each reply.
func TestSilence(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		done := r.start(t.Context(), t.Context(), 2)
		r.take(2)
		<-time.After(4 * time.Minute)
		r.reply("run.1")
		began := time.Now()
		r.ends(done, errors.New("no reply for 5m0s and 1 jobs wait: start a worker"), "[run.1:1:of run.1]")
		if took := time.Since(began); took < 5*time.Minute || took > 5*time.Minute+warnAfter {
			t.Errorf("got %s from the last reply to the end, want 5m", took)
		}
		if got := strings.Count(r.log.String(), "no reply yet"); got != 2 {
			t.Errorf("got %d warnings, want one for each silence:\n%s", got, &r.log)
		}
	})
}

// TestWaitingToSubmitIsNoSilence: while no job waits for its reply there is
// nothing to hear.
func TestWaitingToSubmitIsNoSilence(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		done := make(chan error, 1)
		go func() {
			done <- r.Run(t.Context(), t.Context(), func(soft, ctx context.Context) error {
				<-time.After(30 * time.Minute) // such as a large file that is hashed
				return r.Send(soft, ctx, queue.Message{ID: "run.1"}, 1)
			}, r.answer)
		}()
		<-time.After(31 * time.Minute)
		r.take(1)
		<-time.After(3 * time.Minute)
		r.reply("run.1")
		r.ends(done, nil, "[run.1:1:of run.1]")
	})
}

// TestSoftEnd: nothing more is sent, and what is under way is waited for.
func TestSoftEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		soft, stop := context.WithCancel(t.Context())
		done := r.start(soft, t.Context(), 5)
		r.take(2)
		stop()
		<-time.After(time.Minute)
		r.reply("run.1", "run.2")
		r.ends(done, nil, "[run.1:1:of run.1 run.2:2:of run.2]")
		if got := r.waits("jobs"); got != 0 {
			t.Errorf("got %d more jobs, want none", got)
		}
	})
}

// TestHardEnd: waiting ends at once, and its cause is the error.
func TestHardEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		hard, stop := context.WithCancelCause(t.Context())
		done := r.start(t.Context(), hard, 5)
		r.take(2)
		began, why := time.Now(), errors.New("second interrupt")
		stop(why)
		r.ends(done, why, "[]")
		if took := time.Since(began); took > time.Second {
			t.Errorf("got %s, want no wait", took)
		}
		if got := r.Unanswered(); got != 2 {
			t.Errorf("got %d unanswered, want 2", got)
		}
	})
}

// TestHardEndFinishesAnswers: a reply that is being handled is answered for and
// settled, although the rest is given up.
func TestHardEndFinishesAnswers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		hard, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- r.Run(t.Context(), hard, func(soft, ctx context.Context) error {
				return errors.Join(r.Send(soft, ctx, queue.Message{ID: "run.1"}, 1), r.Send(soft, ctx, queue.Message{ID: "run.2"}, 2))
			}, func(ctx context.Context, id string, kept int, body []byte) error {
				stop()
				<-time.After(10 * time.Second) // such as a disk that is slow
				return errors.Join(ctx.Err(), r.answer(ctx, id, kept, body))
			})
		}()
		r.take(2)
		r.reply("run.1")
		r.ends(done, context.Canceled, "[run.1:1:of run.1]")
		if got := r.waits("replies"); got != 0 {
			t.Errorf("got %d replies left, want none", got)
		}
	})
}

// TestSubmitFails: what cannot be sent ends the exchange.
func TestSubmitFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Window = 10 })
		done := make(chan error, 1)
		go func() {
			done <- r.Run(t.Context(), t.Context(), func(soft, ctx context.Context) error {
				return errors.Join(r.Send(soft, ctx, queue.Message{ID: "run.1"}, 1), r.Send(soft, ctx, queue.Message{ID: "run.2", Body: make([]byte, 64<<20)}, 2))
			}, r.answer)
		}()
		err := <-done
		if !errors.Is(err, queue.ErrTooLarge) || !strings.HasPrefix(err.Error(), "submit a job: ") {
			t.Errorf("got %v, want that a job is too large to submit", err)
		}
	})
}
