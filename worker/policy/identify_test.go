package policy

import (
	"testing"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

func TestIdentify(t *testing.T) {
	t.Parallel()
	f := &File{Producers: map[string]Producer{"billing": {Queue: "jobs-billing"}}}
	for from, want := range map[string]string{"jobs-billing": "billing (queue)", "jobs": ""} {
		if got := f.Identify(schema.Job{ID: "j"}, queue.Message{Queue: from}); got != want {
			t.Errorf("from %s: got %q, want %q", from, got, want)
		}
	}
	if got := new(File).Identify(schema.Job{ID: "j"}, queue.Message{Queue: "jobs"}); got != "" {
		t.Errorf("no producers: got %q, want none", got)
	}
}
