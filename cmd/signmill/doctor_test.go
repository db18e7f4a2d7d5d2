package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

func TestSkewed(t *testing.T) {
	t.Parallel()
	tests := map[time.Duration][2]string{
		0:                 {resultOK, ""},
		time.Minute:       {resultOK, ""},
		-59 * time.Second: {resultOK, ""},
		2 * time.Minute:   {resultWarning, "2m0s ahead of"},
		-61 * time.Second: {resultWarning, "1m1s behind"},
	}
	for skew, want := range tests {
		if got := skewed(skew); got.result != want[0] || !strings.Contains(got.detail, want[1]) {
			t.Errorf("%s: got %+v, want %v", skew, got, want)
		}
	}
}

func TestKeyState(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	days := func(n int) time.Time { return now.Add(time.Duration(n) * 24 * time.Hour) }
	sign, decrypt := []schema.Operation{schema.Sign}, []schema.Operation{schema.Decrypt}
	tests := map[string]struct {
		key        signer.Key
		operations []schema.Operation
		want       string
		says       string
	}{
		"no end":               {signer.Key{Enabled: true}, sign, resultOK, "never expires"},
		"far end":              {signer.Key{Enabled: true, Expires: days(100)}, sign, resultOK, "expires in 100 days"},
		"near end":             {signer.Key{Enabled: true, Expires: days(29)}, sign, resultWarning, "expires in 29 days"},
		"ended":                {signer.Key{Enabled: true, Expires: days(-1)}, sign, resultProblem, "expired at"},
		"ended, only decrypts": {signer.Key{Enabled: true, Expires: days(-1)}, decrypt, resultWarning, "expired at"},
		"not begun":            {signer.Key{Enabled: true, NotBefore: days(1)}, sign, resultProblem, "not valid before"},
		"disabled":             {signer.Key{}, decrypt, resultProblem, "disabled"},
		"other key_ops":        {signer.Key{Enabled: true, Operations: []string{"verify"}}, sign, resultOK, "enabled"},
	}
	for name, tt := range tests {
		got := keyState(tt.key, tt.operations, now)
		if got.result != tt.want || !strings.Contains(got.detail, tt.says) || got.result != resultOK && got.cure == "" {
			t.Errorf("%s: got %+v, want %s with %q and a cure", name, got, tt.want, tt.says)
		}
	}
}

func TestJudgeQueue(t *testing.T) {
	t.Parallel()
	good := servicebus.QueueInfo{LockDuration: time.Minute, MaxDeliveries: 10, Duplicates: true, DuplicateWindow: 2 * time.Hour}
	tests := map[string]struct {
		right  string
		change func(*servicebus.QueueInfo)
		check  string
		want   string
	}{
		"jobs":               {"listen", func(*servicebus.QueueInfo) {}, "", ""},
		"replies":            {"send", func(*servicebus.QueueInfo) {}, "", ""},
		"short lock":         {"listen", func(q *servicebus.QueueInfo) { q.LockDuration = 5 * time.Second }, "lock", resultWarning},
		"few deliveries":     {"listen", func(q *servicebus.QueueInfo) { q.MaxDeliveries = 9 }, "deliveries", resultProblem},
		"jobs in sessions":   {"listen", func(q *servicebus.QueueInfo) { q.Sessions = true }, "sessions", resultProblem},
		"dead letters":       {"listen", func(q *servicebus.QueueInfo) { q.DeadLetters = 1 }, "messages", resultWarning},
		"no duplicates":      {"send", func(q *servicebus.QueueInfo) { q.Duplicates = false }, "duplicates", resultProblem},
		"short window":       {"send", func(q *servicebus.QueueInfo) { q.DuplicateWindow = time.Minute }, "duplicates", resultWarning},
		"replies in session": {"send", func(q *servicebus.QueueInfo) { q.Sessions = true }, "", ""},
		"traces":             {"send traces", func(q *servicebus.QueueInfo) { q.Duplicates = false }, "", ""},
		"traces in session":  {"send traces", func(q *servicebus.QueueInfo) { q.Sessions = true }, "", ""},
		"dead traces":        {"send traces", func(q *servicebus.QueueInfo) { q.DeadLetters = 1 }, "messages", resultWarning},
	}
	v := &visit{}
	v.Bus.Namespace = "example.servicebus.windows.net"
	for name, tt := range tests {
		info := good
		tt.change(&info)
		for _, c := range v.judgeQueue("q", tt.right, info) {
			want := resultOK
			if c.check == tt.check {
				want = tt.want
			}
			if c.verdict.result != want || want != resultOK && c.verdict.cure == "" {
				t.Errorf("%s: %s: got %+v, want %s and a cure", name, c.check, c.verdict, want)
			}
		}
	}
}

// TestChart keeps what others say on its line, and a late check a problem.
func TestChart(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	c := &chart{out: &out}
	c.note("read", "key a", ill("one\ntwo\x1b[2J", "three\r\nfour"))
	c.note("read", "key b", c.late())
	c.note("read", "key c", c.late())
	want := "✗ key a read: one two [2J\n    cure: three four\n✗ key b read: the time was up"
	if got := out.String(); !strings.HasPrefix(got, want) || !strings.Contains(got, "\n- key c read: ") {
		t.Errorf("got %q, want %q", got, want)
	}
	if c.problems != 2 || c.close() == nil {
		t.Errorf("got %d problems and %v, want 2 and an error", c.problems, c.close())
	}
}

func TestBearer(t *testing.T) {
	t.Parallel()
	token := "h." + base64.RawURLEncoding.EncodeToString([]byte(`{"oid":"o1","appid":"a1","tid":"t1"}`)) + ".secret"
	if got := bearer(token); got != ", object id o1, client id a1, tenant t1" {
		t.Errorf("got %q", got)
	}
	for _, token := range []string{"", "opaque", "a.b.c", "a.!.c"} {
		if got := bearer(token); got != "" {
			t.Errorf("%q: got %q, want nothing", token, got)
		}
	}
}

// TestDoctorSpares gives doctor more keys than it may ask about: the vault is
// called a bounded number of times, and signs nothing.
func TestDoctorSpares(t *testing.T) {
	t.Parallel()
	spec := stackSpec{Queues: []localQueue{{Name: "jobs"}, {Name: "replies"}}, Log: slog.New(slog.DiscardHandler)}
	o := doctorOptions{worker: workerOptions{jobs: "jobs", replies: "replies"}}
	for i := range mostCalls {
		spec.Keys = append(spec.Keys, localKey{fmt.Sprintf("key-%d", i), schema.ES256})
		o.worker.allowKey = append(o.worker.allowKey, spec.Keys[i].Name)
	}
	st, err := newStack(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer st.close()
	var out strings.Builder
	v, err := o.open(st.backend(localVaultURL), &chart{out: &out}, spec.Log)
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	v.keys(t.Context(), map[string]bool{"vault": true})
	if got := strings.Count(out.String(), "sign: allowed"); got != mostCalls/2 || v.problems != 0 {
		t.Errorf("got %d keys allowed and %d problems, want %d and none:\n%s", got, v.problems, mostCalls/2, &out)
	}
	if !strings.Contains(out.String(), "not tried: doctor makes at most") {
		t.Errorf("got %s, want it to say what was not tried", &out)
	}
	if stats := st.vault.Stats(); stats.Operations["get"] != mostCalls/2 || stats.Operations["sign"] != 0 {
		t.Errorf("got %v, want %d reads and no signature", stats.Operations, mostCalls/2)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := map[schema.Code]string{
		schema.CodeThrottled: resultWarning, schema.CodeForbidden: resultProblem, schema.CodeUnavailable: resultProblem,
	}
	for code, want := range tests {
		got := refused(&signer.Error{Code: code, Message: "k: it is so; do this", Err: errors.New("cause")})
		if got.result != want || !strings.HasPrefix(got.detail, "k: it is so") || !strings.HasPrefix(got.cure, "do this") {
			t.Errorf("%s: got %+v, want %s", code, got, want)
		}
	}
}
