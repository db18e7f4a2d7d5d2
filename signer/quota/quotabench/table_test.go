package quotabench

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// printTable writes one Markdown table for each scenario.
func printTable(w io.Writer, rows []*row) {
	last := ""
	for _, r := range rows {
		if r.scenario.name != last {
			last = r.scenario.name
			fmt.Fprintf(w, "\n### %s: median (worst) of %d runs\n\n", last, len(r.runs))
			fmt.Fprintln(w, "| vault | keys | K | contestant | goodput % | throttled % | Jain | 429s after the event | s to 95 % |")
			fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|")
		}
		fmt.Fprintln(w, r.line())
	}
}

// line is a row in Markdown.
func (r row) line() string {
	median := reduce(r.runs, Median, Median)
	worst := reduce(r.runs, slices.Min, slices.Max)
	show := func(format string, field func(figures) float64) string {
		if math.IsNaN(field(median)) {
			return "-"
		}
		text := number(format, field(median))
		if w := number(format, field(worst)); w != text {
			text += " (" + w + ")"
		}
		return text
	}
	return "| " + strings.Join([]string{
		r.vault(), r.keys.name, fmt.Sprint(r.replicas), r.contestant.name,
		show("%.1f", func(f figures) float64 { return f.goodput }),
		show("%.2f", func(f figures) float64 { return f.throttled }),
		show("%.3f", func(f figures) float64 { return f.jain }),
		show("%.0f", func(f figures) float64 { return f.refused }),
		show("%.0f", func(f figures) float64 { return f.settled }),
	}, " | ") + " |"
}

func number(format string, value float64) string {
	if math.IsInf(value, 1) {
		return "never"
	}
	return fmt.Sprintf(format, value)
}
