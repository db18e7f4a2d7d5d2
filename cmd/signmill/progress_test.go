package main

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
		p := newProgress(&out, 100)
		<-time.After(4 * time.Second)
		p.add(20, 0)
		<-time.After(2 * time.Second) // the first line comes after 5 s
		p.add(79, 1)
		p.close()
		want := "20 of 100 files signed, 4/s, about 20s left\n99 of 100 files signed, 1 failed, 17/s\n"
		if got := out.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
