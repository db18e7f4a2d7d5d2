package status

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

//go:embed page.css
var style string

// pageHeaders let the page load nothing, run nothing, and stand in no other page.
var pageHeaders = map[string]string{
	"Content-Type":            "text/html; charset=utf-8",
	"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + hashed(style) + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":  "nosniff",
	"Referrer-Policy":         "no-referrer",
	"Cache-Control":           "no-store",
}

func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// page builds HTML by hand: a template engine keeps the linker from leaving out
// what is not used, which makes the binary 9 MB larger. All that it is given is
// escaped, and of characters that mislead readers nothing is left.
type page struct{ strings.Builder }

// add writes a format of ours with escaped values.
func (p *page) add(format string, values ...any) {
	escaped := make([]any, len(values))
	for i, v := range values {
		escaped[i] = html.EscapeString(display.Printable(fmt.Sprint(v)))
	}
	fmt.Fprintf(p, format, escaped...)
}

// tile is a number in large, with what it is and more about it.
func (p *page) tile(name, value, about string) {
	p.add("<div class=\"tile\"><h2>%s</h2><p class=\"value\">%s</p><p class=\"about\">%s</p></div>\n", name, value, about)
}

// fact is a line of a list.
func (p *page) fact(name, value, about string) {
	p.add("<div><dt>%s</dt><dd>%s", name, value)
	if about != "" {
		p.add(" <small>%s</small>", about)
	}
	p.WriteString("</dd></div>\n")
}

// bar shows a part of a whole.
func (p *page) bar(part float64, about string) {
	p.add("<svg class=\"bar\" viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"%s\"><rect width=\"%s\" height=\"1\"/></svg>\n",
		about, fmt.Sprintf("%.1f", 100*min(1, max(0, part))))
}

// curve draws values over time, the newest at the right.
func (p *page) curve(values []float64, most int) {
	if len(values) < 2 {
		return
	}
	highest := 0.0
	for _, v := range values {
		highest = max(highest, v)
	}
	var line strings.Builder
	for i, v := range values {
		x := most - len(values) + i
		fmt.Fprintf(&line, "%d,%.1f ", x, 29-28*v/max(highest, 1))
	}
	p.add("<svg class=\"curve\" viewBox=\"0 0 %s 30\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"items a second over the last minutes, %s at most\"><polyline points=\"%s\"/></svg>\n",
		most-1, perSecond(highest), strings.TrimSpace(line.String()))
}

// list writes notes, if there are any.
func (p *page) list(class string, notes []string) {
	if len(notes) == 0 {
		return
	}
	p.add("<ul class=\"notes %s\">\n", class)
	for _, n := range notes {
		p.add("<li>%s</li>\n", n)
	}
	p.WriteString("</ul>\n")
}
