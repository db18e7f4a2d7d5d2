package status

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/worker"
)

// TestPageEscapes: names and message ids are others' text.
func TestPageEscapes(t *testing.T) {
	t.Parallel()
	const evil = `<script>"1 % 2"</script>`
	v := View{
		Version: evil, Wrong: []string{evil}, Warnings: []string{evil}, Vaults: []VaultView{{Vault: evil, Phase: evil}},
		Queues: []QueueView{{Name: evil, Lane: evil, Backlog: Backlog{Why: evil}}}, Failures: []Failure{{MessageID: evil, Kind: "\u202eturns\x1b"}},
	}
	page := v.html()
	if strings.Contains(page, "<script") || strings.Count(page, "&lt;script&gt;&#34;1 % 2&#34;&lt;/script&gt;") < 8 || !strings.Contains(page, "?turns?") {
		t.Errorf("got %s, want what others say as text", page)
	}
	if strings.Contains(page, "%!") {
		t.Error("a value is written with a wrong format")
	}
	for _, tag := range []string{"section", "article", "table", "dl", "dt", "dd", "div", "ul", "li", "svg", "main", "header", "footer", "p", "h1", "h2", "h3", "tr", "td", "th"} {
		opened := len(regexp.MustCompile(`<`+tag+`[ >]`).FindAllString(page, -1))
		if closed := strings.Count(page, "</"+tag+">"); opened != closed {
			t.Errorf("%s: %d opened and %d closed", tag, opened, closed)
		}
	}
}

// TestPageIsItself: the policy that browsers are given allows the style of the
// page and nothing else, and the page asks for nothing.
func TestPageIsItself(t *testing.T) {
	t.Parallel()
	page := View{}.html()
	_, rest, _ := strings.Cut(page, "<style>")
	css, _, _ := strings.Cut(rest, "</style>")
	if policy := pageHeaders["Content-Security-Policy"]; !strings.Contains(policy, "'sha256-"+hashed(css)+"'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy %s does not fit the style", policy)
	}
	if found := regexp.MustCompile(`(?i)<script|style="|\son\w+=|src=|url\(|@import|href="[^/d]`).FindString(page); found != "" {
		t.Errorf("the page holds %s", found)
	}
}

// TestStoreLost: a gate that goes by slots has no rate of its own, and one that
// waits for its first part has not lost the store.
func TestStoreLost(t *testing.T) {
	t.Parallel()
	v := View{Vaults: []VaultView{
		{Vault: "lost", Phase: "sending", Allowed: 9, Scale: 1}, {Vault: "slots", Phase: "sending", Scale: 1},
		{Vault: "joins", Phase: "joining", Allowed: 9, Scale: 1}, {Vault: "static", Phase: "sending", Allowed: 9, Scale: 1},
	}}
	v.findLost(func(vault string) bool { return vault != "static" })
	v.warn()
	if got := strings.Join(v.Warnings, "; "); strings.Count(got, "is away") != 1 || !strings.Contains(got, "the quota of lost is away") {
		t.Errorf("got the warnings %q", got)
	}
	v.findLost(nil)
	if v.Vaults[0].StoreLost {
		t.Error("a store is lost that there is not")
	}
}

// TestEstimate: an estimate is bounded, and says at whose rate.
func TestEstimate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	tests := []struct {
		name         string
		seen         look
		items, rate  float64
		replicas     int
		value, about string
		size         string
	}{
		{"not yet", look{}, 1, 1, 1, "unknown", "nobody has looked yet", "unknown"},
		{"nothing", look{at: now, first: 1}, 0, 0, 1, "nothing waits", "", "0"},
		{"alone", look{at: now, first: 8, newest: 7 + 1200}, 10, 100, 1, "about 2 min", "at the rate of this worker", "about 1,200"},
		{"one of two", look{at: now, first: 8, newest: 7 + 1200}, 10, 100, 2, "about 60 s", "if the other replica is as fast", "about 1,200"},
		{"one of three", look{at: now, first: 8, newest: 7 + 1080}, 100, 10, 3, "about 1 h 0 min", "if the other 2 replicas are as fast", "about 1,080"},
		{"no end", look{at: now, first: 8, newest: 7 + 1e9}, 10, 0.1, 1, "over a month", "at the rate of this worker", "about 1,000,000,000"},
		{"at rest", look{at: now, first: 8, newest: 7 + 5}, 10, 0, 1, "unknown", "nothing was done in the last minute", "about 5"},
		{"of no known size", look{at: now, first: 8, newest: 7 + 5}, 0, 0, 1, "unknown", "nothing was done in the last minute", "about 5"},
	}
	for _, tt := range tests {
		b := estimate(tt.seen, worker.QueueState{JobItems: tt.items}, tt.rate, tt.replicas)
		if value, about := b.eta(); value != tt.value || about != tt.about || b.size() != tt.size {
			t.Errorf("%s: got %q, %q of %q, want %q, %q of %q", tt.name, value, about, b.size(), tt.value, tt.about, tt.size)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	got := fmt.Sprint(display.Grouped(0), " ", display.Grouped(999), " ", display.Grouped(-1000), " ", display.Grouped(1234567), " ", perSecond(0.04), " ", perSecond(0.05), " ", perSecond(99.94), " ", perSecond(99.96), " ", perSecond(12345),
		" ", lasting(59.4), ", ", lasting(119), ", ", lasting(149), ", ", lasting(3540), ", ", lasting(7260), ", ", lasting(90000), ", ", plural(1, "job"), ", ", plural(2000, "job"))
	const want = "0 999 -1,000 1,234,567 0 0.1 99.9 100 12,345 59 s, 119 s, 2 min, 59 min, 2 h 1 min, 1 d 1 h, 1 job, 2,000 jobs"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestWaiting: one queue that does not tell hides no other, and is not hidden.
func TestWaiting(t *testing.T) {
	t.Parallel()
	known := func(jobs int64, eta float64) QueueView {
		return QueueView{Backlog: Backlog{Known: true, Jobs: jobs, ETA: eta, Replicas: 1}}
	}
	silent := QueueView{Backlog: Backlog{Why: "it is silent", ETA: -1}}
	tests := []struct {
		name   string
		queues []QueueView
		want   []string
	}{
		{"none", []QueueView{known(0, 0), known(0, 0)}, []string{">0<", ">jobs wait<", ">—<", ">nothing waits<"}},
		{"two", []QueueView{known(1000, 300), known(234, 60)}, []string{">1,234<", ">jobs wait, about<", ">5 min<", ">about, at the rate of this worker<"}},
		{"one is at rest", []QueueView{known(10, 300), known(5, -1)}, []string{">15<", ">unknown<", ">nothing was done in the last minute<"}},
		{"one is silent", []QueueView{known(10, 300), silent}, []string{">10<", ">jobs wait, about; not known of 1 queue<", ">5 min<"}},
		{"all are silent", []QueueView{silent, silent}, []string{">unknown<", ">jobs wait<", ">it is silent<"}},
	}
	for _, tt := range tests {
		var p page
		View{Queues: tt.queues}.waiting(&p)
		for _, want := range tt.want {
			if !strings.Contains(p.String(), want) {
				t.Errorf("%s: got %s, want %s", tt.name, p.String(), want)
			}
		}
	}
}
