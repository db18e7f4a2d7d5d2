package main

import (
	_ "embed"
	"fmt"
	"html"
	"net/http"
	"strings"
)

// statusHead is the page up to its content. The content is written by hand: a
// template engine keeps the linker from leaving out what is not used, which
// makes the binary 9 MB larger.
//
//go:embed status.html
var statusHead string

// page builds HTML. All that it is given is escaped.
type page struct{ strings.Builder }

// add writes a format of ours with escaped values.
func (p *page) add(format string, values ...any) {
	escaped := make([]any, len(values))
	for i, v := range values {
		escaped[i] = html.EscapeString(fmt.Sprint(v))
	}
	fmt.Fprintf(p, format, escaped...)
}

func (p *page) tile(value any, about string) {
	p.add("<div class=\"tile\"><b>%s</b>%s</div>\n", value, about)
}

func (p *page) row(name string, value any) { p.add("<tr><th>%s</th><td>%s</td></tr>\n", name, value) }

// show serves the page for people.
func (h *health) show(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	fmt.Fprint(w, h.status().html())
}

func (s status) html() string {
	var p page
	p.WriteString(statusHead)
	p.add("<h1>signmill worker</h1>\n")
	if s.Wrong == "" {
		p.add("<p class=\"state\">serving</p>\n")
	} else {
		p.add("<p class=\"state bad\">%s</p>\n", s.Wrong)
	}
	p.add("<div class=\"tiles\">\n")
	p.tile(fmt.Sprintf("%.1f", s.Rate), "items a second")
	p.tile(s.Worker.Held, fmt.Sprintf("jobs held, of %d", s.Most))
	p.tile(s.Worker.Places, "items with the signer")
	p.tile(s.Worker.Items, "items done")
	p.tile(s.Worker.Answered, "jobs answered")
	p.tile(s.Worker.GivenBack, "given back")
	p.tile(s.Worker.Dead, "dead-lettered")
	p.add("</div>\n")
	s.quota(&p)
	s.failures(&p)
	p.add("<footer>up %s · version %s · spans sent %s, dropped %s · <a href=\"/metrics\">metrics</a></footer>\n</body>\n</html>\n",
		s.Up, s.Version, s.Spans[0], s.Spans[1])
	return p.String()
}

func (s status) quota(p *page) {
	if len(s.Gates) == 0 {
		p.add("<h2>Quota</h2>\n<p>Calls are not paced.</p>\n")
	}
	for _, g := range s.Gates {
		p.add("<h2>Quota of %s</h2>\n<table>\n", g.Vault)
		p.row("phase", g.Phase)
		if g.Rate > 0 {
			p.row("allowed here", fmt.Sprintf("%.0f units a second", g.Rate))
		}
		p.row(fmt.Sprintf("believed, of %d units in 10 s", g.Quota), fmt.Sprintf("%.0f %%", 100*g.Scale))
		p.row("calls waiting", g.Waiting)
		p.row("calls in flight", fmt.Sprintf("%d of %d", g.InFlight, g.Limit))
		p.row("units used", g.Used)
		p.row("refused by the vault", fmt.Sprintf("%d of %d calls", g.Throttled, g.Sent))
		p.add("</table>\n")
	}
}

func (s status) failures(p *page) {
	p.add("<h2>Last failures</h2>\n")
	if len(s.Worker.Failures) == 0 {
		p.add("<p>None.</p>\n")
		return
	}
	p.add("<table>\n<tr><th>time, UTC</th><th>message</th><th>what</th></tr>\n")
	for _, f := range s.Worker.Failures {
		p.add("<tr><td>%s</td><td>%s</td><td>%s</td></tr>\n", f.At.UTC().Format("15:04:05"), f.MessageID, f.Kind)
	}
	p.add("</table>\n")
}
