package status

import "github.com/signmill/signmill/cmd/signmill/internal/display"

const head = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="5">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>%s</title>
<style>`

// html is the page.
func (v View) html() string {
	var p page
	p.add(head, v.mood()+" · signmill worker")
	p.WriteString(style + "</style>\n</head>\n<body>\n")
	p.add("<header><h1>signmill worker</h1><p class=\"state %s\">%s</p><p class=\"about\">up %s · version %s</p></header>\n<main>\n",
		v.class(), v.mood(), lasting(v.Up), v.Version)
	p.list("bad", v.Wrong)
	p.list("warn", v.Warnings)
	v.tiles(&p)
	p.WriteString("<div class=\"pair\">\n")
	v.queues(&p)
	v.vaults(&p)
	p.WriteString("</div>\n")
	v.failures(&p)
	v.totals(&p)
	p.add("</main>\n<footer>as of %s UTC, anew every 5 s · <a href=\"/status.json\">JSON</a> · <a href=\"/metrics\">metrics</a> · "+
		"<a href=\"/readyz\">readyz</a> · <a href=\"/livez\">livez</a></footer>\n</body>\n</html>\n", v.At.Format("15:04:05"))
	return p.String()
}

// mood sums up in a word.
func (v View) mood() string {
	if len(v.Wrong) > 0 {
		return "in trouble"
	}
	return v.Phase
}

func (v View) class() string {
	switch {
	case len(v.Wrong) > 0:
		return "bad"
	case v.Phase != "serving" || len(v.Warnings) > 0:
		return "warn"
	}
	return "good"
}

func (v View) failures(p *page) {
	p.WriteString("<h2>Last failures</h2>\n")
	if len(v.Failures) == 0 {
		p.WriteString("<p class=\"about\">None since the start.</p>\n")
		return
	}
	p.WriteString("<table>\n<thead><tr><th>UTC</th><th>failure</th><th>message</th></tr></thead>\n<tbody>\n")
	for _, f := range v.Failures {
		p.add("<tr><td>%s</td><td>%s</td><td>%s</td></tr>\n", f.At.Format("15:04:05"), f.Kind, f.MessageID)
	}
	p.WriteString("</tbody>\n</table>\n")
}

func (v View) totals(p *page) {
	t := v.Totals
	p.WriteString("<h2>Since the start</h2>\n<dl class=\"row\">\n")
	p.fact("items done", display.Grouped(t.Items), "")
	p.fact("jobs answered", display.Grouped(t.Answered), "")
	p.fact("given back", display.Grouped(t.GivenBack), "")
	p.fact("dead-lettered", display.Grouped(t.Dead), "")
	p.fact("spans sent", display.Grouped(t.SpansSent), "")
	p.fact("spans dropped", display.Grouped(t.SpansDropped), "")
	p.WriteString("</dl>\n")
}
