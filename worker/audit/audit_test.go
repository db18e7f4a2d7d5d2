package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/worker"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens a log that says nothing, and closes it with the test.
func open(t testing.TB, c Config) *Log {
	t.Helper()
	c.Log = slog.New(slog.DiscardHandler)
	l, err := Open(c)
	must(t, err)
	t.Cleanup(l.Close)
	return l
}

// entry is number n of something like what a worker records.
func entry(n int) worker.AuditEntry {
	return worker.AuditEntry{
		Event: worker.AuditOutcome, Job: fmt.Sprint("job-", n), Item: "1", Alias: "invoices", KID: "https://example.vault.azure.net/keys/invoices/0123456789abcdef0123456789abcdef",
		Operation: schema.Sign, Algorithm: schema.ES256, Digest: make([]byte, 32), Made: make([]byte, 32), Queue: "jobs", Message: fmt.Sprint("m-", n),
		Number: int64(n), Delivery: 1, Calls: []signer.Call{{Client: "01234567-89ab-cdef-0123-456789abcdef", Vault: "fedcba98"}},
		Outcome: "done", Trace: "0123456789abcdef0123456789abcdef",
	}
}

// written is a file with n entries, and its head.
func written(t testing.TB, n int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, Config{Path: path, NoSync: true})
	for i := range n {
		must(t, l.Record(t.Context(), entry(i)))
	}
	l.Close()
	return path
}

// testTime is when forged lines were written.
var testTime = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

// verify reads texts as files, and returns what is wrong.
func verify(t testing.TB, expect string, texts ...[]byte) (problems []string, v *Verifier) {
	t.Helper()
	v = &Verifier{Expect: expect, Found: func(f Finding) { problems = append(problems, fmt.Sprintf("%d %s", f.Line, f.Problem)) }}
	for i, text := range texts {
		must(t, v.File(fmt.Sprint("file ", i), bytes.NewReader(text)))
	}
	v.End()
	return problems, v
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return text
}

// TestChain writes a file in three goes, from many goroutines.
func TestChain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	const goes, writers, each = 3, 8, 20
	for range goes {
		l := open(t, Config{Path: path})
		var running sync.WaitGroup
		for range writers {
			running.Go(func() {
				for i := range each {
					if err := l.Record(t.Context(), entry(i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		running.Wait()
		l.Close()
	}
	problems, v := verify(t, "", read(t, path))
	const lines = goes * (1 + writers*each)
	if len(problems) > 0 || v.Lines != lines || len(v.Chains) != 1 || v.Chains[0].First != 1 || v.Chains[0].Last != lines {
		t.Fatalf("got %v, %d lines, chains %+v, want nothing wrong in %d lines of one chain", problems, v.Lines, v.Chains, lines)
	}
	if got := v.Chains[0].Count; got[eventGenesis] != 1 || got[eventResumed] != goes-1 || got[worker.AuditOutcome] != goes*writers*each {
		t.Errorf("got events %v", got)
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, want that its owner alone may read it", info.Mode())
	}
	if problems, _ := verify(t, v.Chains[0].Head, read(t, path)); len(problems) > 0 {
		t.Errorf("with the head expected: got %v", problems)
	}
}

// TestTampering changes a log in every way and wants to hear of it, and where.
func TestTampering(t *testing.T) {
	t.Parallel()
	whole := read(t, written(t, 9)) // ten lines
	_, sound := verify(t, "", whole)
	other := strings.SplitAfter(string(read(t, written(t, 9))), "\n")
	lines := func() []string { return strings.SplitAfter(strings.TrimSuffix(string(whole), "\n"), "\n") }
	rehash := func(text string) string { // as one who knows the format would
		r, _ := parse([]byte(strings.TrimSuffix(text, "\n")))
		c := &chain{name: r.Chain, seq: r.Seq - 1, head: r.Prev}
		return string(c.add(nil, line{AuditEntry: worker.AuditEntry{Event: worker.AuditOutcome, Job: "forged"}}, testTime))
	}
	for _, tt := range []struct {
		name   string
		change func(l []string) []string
		want   string
	}{
		{"nothing", func(l []string) []string { return l }, ""},
		{"edited", func(l []string) []string { l[4] = strings.Replace(l[4], "job-3", "job-x", 1); return l }, "5 edited"},
		{"edited hash", func(l []string) []string { l[4] = strings.Replace(l[4], `"hash":"`, `"hash":"A`, 1); return l }, "5 unreadable 6 missing"},
		{"edited and hashed", func(l []string) []string { l[4] = rehash(l[4]); return l }, "6 replaced"},
		{"dropped", func(l []string) []string { return append(l[:4], l[5:]...) }, "5 missing"},
		{"first one dropped", func(l []string) []string { return l[1:] }, "1 beginning"},
		{"swapped", func(l []string) []string { l[4], l[5] = l[5], l[4]; return l }, "5 missing 6 reordered 7 missing"},
		{"doubled", func(l []string) []string { return append(l[:5], l[4:]...) }, "6 reordered"},
		{"put in, of another chain", func(l []string) []string { return append(l[:5], append([]string{other[5]}, l[5:]...)...) }, "6 foreign"},
		{"put in, no log at all", func(l []string) []string { return append(l[:5], append([]string{"hello\n"}, l[5:]...)...) }, "6 unreadable"},
		{"put in, endless", func(l []string) []string {
			return append(l[:5], append([]string{strings.Repeat("x", 1<<20) + "\n"}, l[5:]...)...)
		}, "6 unreadable"},
		{"line cut", func(l []string) []string { l[4] = l[4][:40] + "\n"; return l }, "5 unreadable 6 missing"},
		{"lines joined", func(l []string) []string { l[4] = strings.TrimSuffix(l[4], "\n"); return l }, "5 unreadable 6 missing"},
		{"end cut in a line", func(l []string) []string { l[9] = l[9][:40]; return l }, "10 torn 0 head"},
		{"end cut", func(l []string) []string { return l[:8] }, "0 head"},
		{"all gone", func([]string) []string { return nil }, "0 head"},
		{"made anew", func([]string) []string { return other }, "0 head"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Join(tt.change(append(lines(), "")[:10]), "")
			if tt.name == "nothing" || !strings.Contains(tt.name, "cut in") && text != "" && !strings.HasSuffix(text, "\n") {
				text += "\n"
			}
			problems, _ := verify(t, sound.Chains[0].Head, []byte(text))
			if got := strings.Join(problems, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestEveryByteCounts flips a bit of each byte of a log.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	whole := read(t, written(t, 2))
	_, sound := verify(t, "", whole)
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1 << (i % 8)
		if problems, _ := verify(t, sound.Chains[0].Head, changed); len(problems) == 0 {
			t.Fatalf("byte %d (%q) makes no difference", i, whole[i])
		}
	}
}

// TestTornEnd cuts the last line at every byte, as a kill does, and goes on.
func TestTornEnd(t *testing.T) {
	t.Parallel()
	whole := read(t, written(t, 2))
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	for cut := last + 1; cut < len(whole); cut++ {
		must(t, os.WriteFile(path, whole[:cut], 0o600))
		l := open(t, Config{Path: path, NoSync: true})
		must(t, l.Record(t.Context(), entry(7)))
		l.Close()
		text := read(t, path)
		problems, v := verify(t, "", text)
		if len(problems) > 0 || v.Lines != 4 || !bytes.HasPrefix(text, whole[:last]) {
			t.Fatalf("cut at %d: got %v in %d lines, want none in 4", cut, problems, v.Lines)
		}
		if want := fmt.Sprintf(`"event":"resumed","count":%d,`, cut-last); !bytes.Contains(text, []byte(want)) {
			t.Fatalf("cut at %d: %s is not told", cut, want)
		}
	}
}

// TestNotGoneOnWith refuses a file that is none of ours, or was changed, or is
// in use.
func TestNotGoneOnWith(t *testing.T) {
	t.Parallel()
	path := written(t, 3)
	text := read(t, path)
	for name, content := range map[string][]byte{
		"edited":       bytes.Replace(text, []byte("job-2"), []byte("job-x"), 1),
		"another file": []byte("hello\n"),
		"binary":       bytes.Repeat([]byte{0}, 1<<20),
	} {
		must(t, os.WriteFile(path, content, 0o600))
		if l, err := Open(Config{Path: path}); !errors.Is(err, errNoLog) {
			t.Errorf("%s: got %v, want that it cannot be gone on with", name, err)
			l.Close()
		}
		if got := read(t, path); !bytes.Equal(got, content) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	must(t, os.WriteFile(path, text, 0o600))
	open(t, Config{Path: path})
	if _, err := Open(Config{Path: path}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("in use: got %v, want an error", err)
	}
	for _, c := range []Config{{}, {Path: path, Out: new(bytes.Buffer)}, {Path: path, MaxBytes: -1}, {Path: filepath.Join(path, "below")}} {
		if _, err := Open(c); err == nil {
			t.Errorf("%+v: got nil, want an error", c)
		}
	}
}

// TestRotation begins a new file again and again, and once dies in between.
func TestRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit[1].jsonl")
	c := Config{Path: path, MaxBytes: 2000, NoSync: true}
	for range 3 {
		l := open(t, c)
		for i := range 20 {
			must(t, l.Record(t.Context(), entry(i)))
		}
		l.Close()
		must(t, os.Rename(path, fmt.Sprintf("%s.%012d", path, l.chain.seq))) // and dies
	}
	open(t, c).Close()
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	must(t, err)
	var texts [][]byte
	for _, name := range append(names[1:], names[0]) { // the present one sorts first
		texts = append(texts, read(t, name))
		if size := len(texts[len(texts)-1]); size > 4000 {
			t.Errorf("%s has %d bytes, want about 2,000", name, size)
		}
	}
	problems, v := verify(t, "", texts...)
	if len(problems) > 0 || len(v.Chains) != 1 || v.Chains[0].First != 1 || len(texts) < 6 {
		t.Errorf("got %v, %d chains in %d files, want nothing wrong in one chain", problems, len(v.Chains), len(texts))
	}
	if problems, _ := verify(t, "", append(texts[:2:2], texts[3:]...)...); strings.Join(problems, " ") != "1 missing" {
		t.Errorf("without the third file: got %v, want missing lines", problems)
	}
	if problems, v := verify(t, "", texts[3:]...); len(problems) > 0 || v.Chains[0].First == 1 {
		t.Errorf("the last files alone: got %v, want nothing wrong, and that it does not begin at 1", problems)
	}
}

// hostile are texts that want to be more than a text.
func hostile() []string {
	return []string{
		"a\nb", "a\r\n{\"v\":1}", `","hash":"x"}`, `\","prev":"`, "\x00\x1b[31m", "a\u2028b\u2029c", "\u202egnp.exe", "\xff\xfe", "𝕏\U0010ffff", "<script>&",
		strings.Repeat("\U0001f600", 200), strings.Repeat("\x00", 4000), "\u007f\u0085\u00a0",
	}
}

// TestNoTextMakesALine records hostile texts in every field.
func TestNoTextMakesALine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := open(t, Config{Out: &out})
	for _, text := range hostile() {
		must(t, l.Record(t.Context(), worker.AuditEntry{
			Event: worker.AuditEvent(text), Job: text, Item: text, Alias: text, KID: text, Operation: schema.Operation(text), Algorithm: schema.Algorithm(text),
			Digest: []byte(strings.Repeat(text, 100)), Made: []byte(text), Queue: text, Producer: text, Message: text, Outcome: text, Trace: text,
			Calls: []signer.Call{{Client: text, Vault: text}, {Client: text}, {Client: text}, {Client: text}, {Client: text}, {Client: text}},
		}))
	}
	l.Close()
	problems, v := verify(t, "", out.Bytes())
	if len(problems) > 0 || v.Lines != 1+len(hostile()) {
		t.Fatalf("got %v in %d lines, want none in %d", problems, v.Lines, 1+len(hostile()))
	}
	for i, text := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")[1:] {
		if at := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }); at >= 0 || len(text) >= maxLine {
			t.Errorf("line %d has %d bytes, and %q", i, len(text), text[max(0, at):][:1])
		}
		var got struct{ Job, Item, Prev, Hash string }
		must(t, json.Unmarshal([]byte(text), &got))
		want := strings.ToValidUTF8(hostile()[i], "\ufffd")
		if len(hostile()[i]) > maxText {
			want = want[:maxText] + "…"
		}
		if got.Job != want && hostile()[i] != "\xff\xfe" || got.Item != got.Job || len(got.Hash) != hashLength || len(got.Prev) != hashLength {
			t.Errorf("line %d: got job %q, want %q", i, got.Job, want)
		}
	}
}

// TestWriteFails has a disk that is full.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	for _, effort := range []bool{false, true} {
		var out bytes.Buffer
		l := open(t, Config{Out: iotest.TruncateWriter(&out, 1<<20), BestEffort: effort})
		l.sink = &stream{Writer: full{}}
		err := l.Record(t.Context(), entry(1))
		if (err == nil) != effort {
			t.Errorf("best effort %t: got %v", effort, err)
		}
		select {
		case <-l.Failed():
			if effort || !errors.Is(l.Err(), errFull) {
				t.Errorf("best effort %t: got failure %v", effort, l.Err())
			}
		default:
			if !effort {
				t.Error("it is not told that nothing can be recorded any more")
			}
		}
		if err := l.Record(t.Context(), entry(2)); (err == nil) != effort {
			t.Errorf("best effort %t, again: got %v", effort, err)
		}
	}
}

var errFull = errors.New("no space left on device")

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// TestLostIsTold has a file that takes nothing for a while.
func TestLostIsTold(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, Config{Path: path, BestEffort: true, NoSync: true})
	good := l.sink
	must(t, l.Record(t.Context(), entry(1)))
	l.sink = &stream{Writer: full{}}
	must(t, l.Record(t.Context(), entry(2)))
	must(t, l.Record(t.Context(), entry(3)))
	l.sink = good
	must(t, l.Record(t.Context(), entry(4)))
	l.Close()
	text := read(t, path)
	if problems, _ := verify(t, "", text); len(problems) > 0 || !bytes.Contains(text, []byte(`"event":"lost","count":2,`)) {
		t.Errorf("got %v, want nothing wrong and two lost: %s", problems, text)
	}
}

// TestClosedAndCancelled ends waits.
func TestClosedAndCancelled(t *testing.T) {
	t.Parallel()
	l := open(t, Config{Out: new(bytes.Buffer)})
	l.Close()
	if err := l.Record(t.Context(), entry(1)); !errors.Is(err, errClosed) {
		t.Errorf("got %v, want closed", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Record(ctx, entry(1)); err == nil {
		t.Error("got nil, want an error")
	}
}

// BenchmarkRecord is the cost of one entry when so many wait at once.
func BenchmarkRecord(b *testing.B) {
	for _, sync := range []bool{false, true} {
		for _, waiting := range []int{1, 64} {
			b.Run(fmt.Sprintf("sync=%t/waiting=%d", sync, waiting), func(b *testing.B) {
				l := open(b, Config{Path: filepath.Join(b.TempDir(), "audit.jsonl"), NoSync: !sync})
				e := entry(1)
				b.SetParallelism(waiting)
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := l.Record(b.Context(), e); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}

// BenchmarkLine is the cost of a line without anything around it.
func BenchmarkLine(b *testing.B) {
	c, l, buf := newChain(), line{AuditEntry: entry(1)}, make([]byte, 0, maxLine)
	b.ReportAllocs()
	for b.Loop() {
		buf = c.add(buf[:0], l, testTime)
	}
	b.SetBytes(int64(len(buf)))
}
