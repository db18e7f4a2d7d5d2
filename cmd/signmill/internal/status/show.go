package status

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

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

func (v View) tiles(p *page) {
	p.WriteString("<section class=\"tiles\">\n")
	p.add("<div class=\"tile first\"><h2>Rate</h2><p class=\"value\">%s</p><p class=\"about\">items a second</p>\n", perSecond(v.Rate))
	p.curve(v.curve, int(samplesKept/sampleEvery))
	p.WriteString("</div>\n")
	v.waiting(p)
	p.tile("In flight", display.Grouped(int64(v.Held)), fmt.Sprintf("of %s jobs that may be held; %s with the signer", display.Grouped(int64(v.Most)), plural(int64(v.Places), "item")))
	v.quota(p)
	p.WriteString("</section>\n")
}

// waiting are the tiles of what waits on all queues.
func (v View) waiting(p *page) {
	b, unknown := v.backlog()
	size, about := strings.TrimPrefix(b.size(), "about "), "jobs wait"
	if b.Jobs > 0 {
		about += ", about"
	}
	if b.Known && unknown > 0 {
		about += fmt.Sprintf("; not known of %s", plural(int64(unknown), "queue"))
	}
	p.tile("Backlog", size, v.putOff(about))
	value, about := b.eta()
	switch {
	case b.Known && b.Jobs == 0:
		value, about = "—", value
	case b.ETA > 0:
		value, about = strings.TrimPrefix(value, "about "), "about, "+about
	}
	p.tile("Backlog done in", value, about)
}

// backlog is that of all queues of which it is known, and the number of the
// others.
func (v View) backlog() (all Backlog, unknown int) {
	for _, q := range v.Queues {
		b := q.Backlog
		switch {
		case !b.Known:
			unknown++
			all.Why = cmp.Or(all.Why, b.Why)
			continue
		case b.ETA < 0 || all.ETA < 0:
			all.ETA = -1
		default:
			all.ETA = max(all.ETA, b.ETA)
		}
		all.Known, all.Replicas, all.Jobs = true, b.Replicas, all.Jobs+b.Jobs
	}
	return all, unknown
}

// putOff tells of jobs that come later, beside what is told of the others.
func (v View) putOff(about string) string {
	n := 0
	for _, q := range v.Queues {
		n += q.PutOff
	}
	if n > 0 {
		about += fmt.Sprintf("; %s put off", display.Grouped(int64(n)))
	}
	return about
}

// quota is the tile of the vault whose quota is used most.
func (v View) quota(p *page) {
	most, of := -1.0, VaultView{}
	for _, g := range v.Vaults {
		if part := g.part(); part > most {
			most, of = part, g
		}
	}
	if most < 0 {
		p.tile("Quota", "none", "calls are not paced")
		return
	}
	value, about := fmt.Sprintf("%.0f %%", 100*most), "of this worker's part"
	if of.Phase == "probing" {
		value, about = "used up", "the vault refuses calls"
	}
	if len(v.Vaults) > 1 {
		about += " of " + host(of.Vault)
	}
	p.add("<div class=\"tile\"><h2>Quota in use</h2><p class=\"value\">%s</p><p class=\"about\">%s</p>\n", value, about)
	p.bar(most, "quota in use")
	p.WriteString("</div>\n")
}

// part is how much of what this worker may use it has used in the last minute.
func (g VaultView) part() float64 {
	allowed := g.Allowed
	if allowed == 0 {
		allowed = float64(g.Quota) / 10
	}
	return min(1, g.Used/max(allowed, 1))
}

func host(vault string) string { return strings.TrimPrefix(vault, "https://") }

func (v View) queues(p *page) {
	p.WriteString("<section class=\"cards\">\n<h2>Job queues</h2>\n")
	for _, q := range v.Queues {
		p.add("<article><h3>%s", q.Name)
		if q.Lane != "" {
			p.add(" <span class=\"tag\">lane %s</span>", q.Lane)
		}
		p.WriteString("</h3>\n<dl>\n")
		if q.Refused {
			p.fact("state", "refuses the worker", "")
		}
		p.fact("rate", perSecond(q.Rate)+" items/s", "")
		p.fact("worked on", plural(int64(q.Working), "job"), "")
		value, about := q.Backlog.eta()
		if q.Backlog.Known {
			items := ""
			if q.Backlog.Items > float64(q.Backlog.Jobs) {
				items = "about " + display.Grouped(int64(q.Backlog.Items)) + " items"
			}
			p.fact("backlog", q.Backlog.size()+strings.TrimLeft(plural(q.Backlog.Jobs, "job"), "0123456789,"), items)
			p.fact("done in", value, about)
		} else {
			p.fact("backlog", value, about)
		}
		if q.PutOff > 0 {
			p.fact("put off", plural(int64(q.PutOff), "job"), "by this worker, to come again later")
		}
		p.fact("last wait", lasting(q.Waited), "on the queue")
		p.WriteString("</dl></article>\n")
	}
	p.WriteString("</section>\n")
}

func (v View) vaults(p *page) {
	p.WriteString("<section class=\"cards\">\n<h2>Vaults</h2>\n")
	if len(v.Vaults) == 0 {
		p.WriteString("<p class=\"about\">Calls are not paced.</p>\n")
	}
	for _, g := range v.Vaults {
		p.add("<article><h3>%s</h3>\n", host(g.Vault))
		p.bar(g.part(), "quota in use")
		p.WriteString("<dl>\n")
		p.fact("phase", g.Phase, "")
		used := perSecond(g.Used) + " units/s"
		if g.Allowed > 0 {
			used += " of " + perSecond(g.Allowed)
		}
		p.fact("in use", used, "")
		share := ""
		if g.Replicas > 1 {
			share = fmt.Sprintf("shared by %d replicas", g.Replicas)
		}
		p.fact("quota", display.Grouped(g.Quota)+" units in 10 s", share)
		p.fact("believed", fmt.Sprintf("%.0f %%", 100*g.Scale), "of the quota")
		p.fact("calls", fmt.Sprintf("%d of %d in flight", g.InFlight, g.Limit), fmt.Sprintf("%s wait", display.Grouped(int64(g.Waiting))))
		p.fact("refused", fmt.Sprintf("%s of %s calls", display.Grouped(g.Throttled), display.Grouped(g.Calls)), "429 in the last minute")
		if g.Failed > 0 {
			p.fact("failed", fmt.Sprintf("%s of %s calls", display.Grouped(g.Failed), display.Grouped(g.Calls)), "in the last minute")
		}
		p.WriteString("</dl></article>\n")
	}
	p.WriteString("</section>\n")
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
