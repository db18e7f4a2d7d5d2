package status

import (
	"fmt"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// queues are a card for each job queue.
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

// vaults are a card for each vault whose calls are paced.
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
		p.fact("refused", fmt.Sprintf("%s of %s calls", display.Grouped(g.Throttled), display.Grouped(g.Calls)), "with 429, in the last minute")
		if g.Failed > 0 {
			p.fact("failed", fmt.Sprintf("%s of %s calls", display.Grouped(g.Failed), display.Grouped(g.Calls)), "in the last minute")
		}
		p.WriteString("</dl></article>\n")
	}
	p.WriteString("</section>\n")
}
