package spanqueue

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// shows runs Show for a while, and returns the names of what it showed.
func (r *rig) shows(fail error) (names []string, err error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	from := r.receiver("traces")
	defer from.Close(context.WithoutCancel(ctx))
	err = Reader{From: from}.Each(ctx, Show(func(spans []*tracepb.Span) error {
		for _, s := range spans {
			names = append(names, s.Name)
		}
		return fail
	}))
	return names, err
}

// TestShow: what can be read is shown and gone, and what cannot is set aside and
// holds up nothing.
func TestShow(t *testing.T) {
	t.Parallel()
	plain, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: requestOf(&tracepb.Span{Name: "plain"})})
	must(t, err)
	tests := map[string]struct {
		body     []byte
		encoding string
		want     string
		aside    int
	}{
		"without gzip":      {plain, "", "[plain last]", 0},
		"empty":             {nil, "", "[last]", 0},
		"gzip that is none": {plain, "gzip", "[last]", 1},
		"not OTLP":          {[]byte(`{"resourceSpans":[]}`), "", "[last]", 1},
		"cut short":         {plain[:len(plain)-1], "", "[last]", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				must(t, r.to.Send(t.Context(), queue.Message{ID: "m", Subject: schema.TracesSubject, ContentEncoding: test.encoding, Body: test.body}))
				r.send("last")
				names, err := r.shows(nil)
				must(t, err)
				if got := fmt.Sprint(names); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
				aside, err := r.receiver("traces/$DeadLetterQueue").Browse(t.Context(), 0, 10)
				must(t, err)
				if len(aside) != test.aside || test.aside > 0 && aside[0].Properties["DeadLetterReason"] != "not_otlp" {
					t.Errorf("got %v set aside, want %d as not_otlp", aside, test.aside)
				}
				left, err := r.receiver("traces").Browse(t.Context(), 0, 10)
				must(t, err)
				if len(left) != 0 {
					t.Errorf("got %d messages left, want none", len(left))
				}
			})
		})
	}
}

// TestShowFails: what could not be shown stays on the queue, and comes again.
func TestShowFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.send("a")
		full := errors.New("disk full")
		if _, err := r.shows(full); !errors.Is(err, full) {
			t.Errorf("got %v, want %v", err, full)
		}
		<-time.After(5 * time.Minute) // its lock ends
		names, err := r.shows(nil)
		must(t, err)
		if fmt.Sprint(names) != "[a]" {
			t.Errorf("got %v, want [a]", names)
		}
	})
}
