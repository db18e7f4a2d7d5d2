package display

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Table writes rows in aligned columns once it is closed.
type Table struct{ w *tabwriter.Writer }

// NewTable begins a table on w, with a header if there is one.
func NewTable(w io.Writer, header ...string) Table {
	t := Table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	if len(header) > 0 {
		t.Row(header...)
	}
	return t
}

// Row adds a row. An error of the writer shows in Close.
func (t Table) Row(cells ...string) {
	for i, cell := range cells {
		if cells[i] = Printable(cell); cell == "" {
			cells[i] = "-"
		}
	}
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

// Fact adds a line of a description, unless there is nothing to say.
func (t Table) Fact(name, text string) {
	if text != "" {
		t.Row(name+":", text)
	}
}

// Close writes the table.
func (t Table) Close() error { return t.w.Flush() }
