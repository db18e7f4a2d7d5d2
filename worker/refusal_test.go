package worker

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
)

// TestPatienceEnds counts how long a row of refusals is borne, and that other
// errors are not borne at all.
func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r refusals
		began := time.Now()
		for r.bear(queue.ErrUnauthorized, 0) {
			<-time.After(10 * time.Second)
		}
		if took := time.Since(began); took < patience || took > patience+time.Minute {
			t.Errorf("refusals were borne for %v, want about %v", took, patience)
		}
		if !r.bear(queue.ErrNotFound, time.Hour) {
			t.Error("a refusal after an hour of work counts as one of the old row")
		}
		if r.bear(errors.New("closed"), 0) {
			t.Error("an error that is no refusal was borne")
		}
	})
}
