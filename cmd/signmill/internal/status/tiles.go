package status

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

// tiles are what matters most, in large.
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
