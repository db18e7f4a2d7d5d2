package display

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := NewProgress(&out, 100, Words{Doing: "signing", Things: "files", Done: "signed"})
		<-time.After(4 * time.Second)
		p.Add(20, 0)
		<-time.After(2 * time.Second) // the first line comes after 5 s
		p.Add(79, 1)
		p.Close()
		want := "20 of 100 files signed, 4/s, about 20s left\n99 of 100 files signed, 1 failed, 17/s\n"
		if got := out.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
