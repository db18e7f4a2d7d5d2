package broker_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue/localbus/internal/broker"
)

func TestNamesIgnoreCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		_, err := b.Create("JOBS", broker.Properties{})
		b.wantKind(err, broker.Exists)
		b.create("a/Zebra", broker.Properties{})
		b.create("Alpha", broker.Properties{})
		var names []string
		for _, d := range b.List() {
			names = append(names, d.Name)
		}
		if want := []string{"a/Zebra", "Alpha", "jobs"}; !slices.Equal(names, want) {
			t.Errorf("listed %q, want %q", names, want)
		}
		if d, err := b.Get("A/zebra"); d.Name != "a/Zebra" || err != nil {
			t.Errorf("got %q, %v", d.Name, err)
		}
	})
}

func TestOpenResolvesPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.create("a/B", broker.Properties{})
		for path, want := range map[string]string{
			"jobs":                                "jobs",
			"/JOBS":                               "jobs",
			"A/b":                                 "a/B",
			"Jobs/$deadletterqueue":               "jobs/$DeadLetterQueue",
			"a/b/$DeadLetterQueue":                "a/B/$DeadLetterQueue",
			"jobs/$Transfer/$DEADLETTERQUEUE":     "jobs/$Transfer/$DeadLetterQueue",
			"":                                    "",
			"other":                               "",
			"jobs/":                               "",
			"jobs/$Transfer":                      "",
			"jobs/$management":                    "",
			"jobs/$DeadLetterQueue/$management":   "",
			"other/$DeadLetterQueue":              "",
			"/$DeadLetterQueue":                   "",
			"jobs/$DeadLetterQueue/more/segments": "",
		} {
			q, err := b.Open(path)
			switch {
			case want == "":
				b.wantKind(err, broker.NotFound)
			case err != nil:
				t.Errorf("%q: %v", path, err)
			case q.Path() != want || !strings.HasPrefix(want, q.Name()):
				t.Errorf("%q: got %q of %q, want %q", path, q.Path(), q.Name(), want)
			}
		}
	})
}

func TestCreateRefusals(t *testing.T) {
	b := broker.New(broker.Config{})
	for name, p := range map[string]broker.Properties{
		"":                       {},
		"-a":                     {},
		"a-":                     {},
		"a b":                    {},
		"a$b":                    {},
		strings.Repeat("a", 261): {},
		"short-lock":             {LockDuration: 5*time.Second - 1},
		"long-lock":              {LockDuration: 5*time.Minute + 1},
		"deliveries":             {MaxDeliveryCount: -1},
		"short-window":           {DuplicateDetectionWindow: time.Second},
		"long-window":            {DuplicateDetectionWindow: 8 * 24 * time.Hour},
		"negative-life":          {DefaultTimeToLive: -1},
		"small":                  {MaxSizeMegabytes: -1},
		"bytes":                  {MaxMessageBytes: 1023},
		"status":                 {Status: 4},
		"metadata":               {UserMetadata: strings.Repeat("x", 1025)},
		"forward-session":        {RequiresSession: true, ForwardTo: "other"},
		"forward-self":           {ForwardTo: "Forward-Self"},
		"forward-url":            {ForwardTo: "https://host/forward-url"},
		"forward-nowhere":        {ForwardTo: "https://host/"},
		"dead-self":              {ForwardDeadLettersTo: "dead-self"},
		"dead-nowhere":           {ForwardDeadLettersTo: "::://"},
	} {
		if _, err := b.Create(name, p); broker.KindOf(err) != broker.Invalid {
			t.Errorf("%q: error %v, want invalid", name, err)
		}
	}
	if n := len(b.List()); n != 0 {
		t.Errorf("%d queues, want none", n)
	}
	b.Close()
	if _, err := b.Create("a", broker.Properties{}); broker.KindOf(err) != broker.Closed {
		t.Errorf("error %v, want closed", err)
	}
}

func TestDefaults(t *testing.T) {
	b := broker.New(broker.Config{})
	t.Cleanup(b.Close)
	d, err := b.Create("a", broker.Properties{EnablePartitioning: true, Attachment: 5})
	want := broker.Properties{
		LockDuration: time.Minute, MaxDeliveryCount: 10, DuplicateDetectionWindow: 10 * time.Minute,
		MaxSizeMegabytes: 1024, MaxMessageBytes: 262144, EnablePartitioning: true, Attachment: 5,
	}
	if d.Properties != want || err != nil {
		t.Errorf("got %+v, want %+v (%v)", d.Properties, want, err)
	}
}

func TestUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []broker.Change
		b := broker.New(broker.Config{Changed: func(c broker.Change) { changes = append(changes, c) }})
		defer b.Close()
		created := time.Now()
		if _, err := b.Create("Jobs", broker.Properties{}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		for _, p := range []broker.Properties{{RequiresSession: true}, {RequiresDuplicateDetect: true}, {LockDuration: 1}} {
			if _, err := b.Update("jobs", p); broker.KindOf(err) != broker.Invalid {
				t.Errorf("error %v, want invalid", err)
			}
		}
		d, err := b.Update("jobs", broker.Properties{LockDuration: 5 * time.Second})
		if err != nil || d.LockDuration != 5*time.Second || !d.CreatedAt.Equal(created) || !d.UpdatedAt.Equal(time.Now()) {
			t.Errorf("updated %+v, %v", d, err)
		}
		if _, err := b.Update("other", broker.Properties{}); broker.KindOf(err) != broker.NotFound {
			t.Errorf("error %v, want not found", err)
		}
		if err := b.Delete("JOBS"); err != nil {
			t.Error(err)
		}
		if err := b.Delete("jobs"); broker.KindOf(err) != broker.NotFound {
			t.Errorf("error %v, want not found", err)
		}
		if want := []broker.Change{{Name: "Jobs"}, {Name: "Jobs", Deleted: true}}; !slices.Equal(changes, want) {
			t.Errorf("told %v, want %v", changes, want)
		}
	})
}

func TestDeletedQueueAnswersNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("a", "b")
		notified := 0
		c, _ := b.queue.Consume(broker.ConsumerConfig{Notify: func() { notified++ }})
		got, _ := c.Take(10)
		token := got[0].LockToken
		if err := b.Delete("jobs"); err != nil {
			t.Fatal(err)
		}
		if notified != 1 {
			t.Errorf("notified %d times, want 1", notified)
		}
		for name, err := range everyMethod(b.queue, c, token) {
			if broker.KindOf(err) != broker.NotFound {
				t.Errorf("%s: error %v, want not found", name, err)
			}
		}
		c.Close()
		b.create("jobs", broker.Properties{})
		b.counts(broker.Counts{})
		pass(time.Hour) // the old timers find nothing
		_, err := b.queue.Send(broker.Message{})
		b.wantKind(err, broker.NotFound)
	})
}

// everyMethod calls each method that can fail and returns the errors.
func everyMethod(q *broker.Queue, c *broker.Consumer, t broker.Token) map[string]error {
	errs := map[string]error{
		"settle": q.Settle(complete, t), "cancel": q.CancelScheduled(1), "lose": q.LoseLock(t),
		"duplicate": q.Duplicate(t), "set state": q.SetSessionState("", nil),
	}
	_, errs["send"] = q.Send(broker.Message{})
	_, errs["consume"] = q.Consume(broker.ConsumerConfig{})
	_, errs["take"] = c.Take(1)
	_, errs["renew"] = q.Renew(t)
	_, errs["peek"] = q.Peek(broker.Browse{Limit: 1})
	_, errs["deferred"] = q.ReceiveDeferred(broker.PeekLock, 1)
	_, errs["delete"] = q.DeleteOlder(time.Now(), 1)
	_, errs["sessions"] = q.Sessions(broker.SessionFilter{})
	_, errs["renew session"] = q.RenewSession("")
	_, errs["state"] = q.SessionState("")
	return errs
}

func TestReceiveDisabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.send("a", "b")
		c := b.consume(b.queue, broker.PeekLock)
		got, _ := c.Take(1)
		if _, err := b.Update("jobs", broker.Properties{Status: broker.ReceiveDisabled}); err != nil {
			t.Fatal(err)
		}
		errs := everyMethod(b.queue, c, broker.Token{1})
		for _, name := range []string{"consume", "take", "peek", "deferred", "delete"} {
			if broker.KindOf(errs[name]) != broker.Disabled {
				t.Errorf("%s: error %v, want disabled", name, errs[name])
			}
		}
		b.settle(b.queue, complete, got...)
		if _, err := b.Update("jobs", broker.Properties{}); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Take(1); len(got) != 1 || err != nil {
			t.Errorf("took %d, %v", len(got), err)
		}
	})
}

func TestAccessedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBus(t, broker.Properties{})
		b.take(b.queue)
		if d, _ := b.Get("jobs"); !d.AccessedAt.IsZero() {
			t.Errorf("unused queue was accessed at %v", d.AccessedAt)
		}
		b.send("a")
		pass(time.Second)
		if d, _ := b.Get("jobs"); !d.AccessedAt.Equal(time.Now().Add(-time.Second)) {
			t.Errorf("accessed at %v after a send", d.AccessedAt)
		}
		b.take(b.queue, "a")
		if d, _ := b.Get("jobs"); !d.AccessedAt.Equal(time.Now()) {
			t.Errorf("accessed at %v after a receive", d.AccessedAt)
		}
	})
}
