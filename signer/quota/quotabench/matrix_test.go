package quotabench

import (
	"flag"
	"os"
	"regexp"
	"testing"
)

// The flags of the whole table; see `make quota-bench`.
var (
	filter = flag.String("quotabench.filter", "", "print the table of the cells whose name matches; empty: no table")
	seeds  = flag.Int("quotabench.seeds", 5, "runs of a cell")
)

// matrix lists all cells: thousands, of which a filter takes some.
func matrix() (all []cell) {
	for _, s := range scenarios() {
		for _, rules := range vaults() {
			for _, keys := range mixes() {
				for _, k := range s.fleets() {
					for _, c := range contestants() {
						all = append(all, cell{s, rules, keys, k, c})
					}
				}
			}
		}
	}
	return all
}

// vaults lists all that a vault may be. Charging has no meaning for windows.
func vaults() (all []Rules) {
	for _, hint := range []bool{false, true} {
		for _, charged := range []bool{false, true} {
			for _, shape := range Shapes() {
				window := shape == Fixed || shape == FirstCall || shape == Nodes
				if !charged || !window {
					all = append(all, Rules{Shape: shape, Charged: charged, Hint: hint})
				}
			}
		}
	}
	return all
}

// fleets lists the values of K.
func (s scenario) fleets() []int {
	switch s.name {
	case "scale": // sets its own
		return []int{50}
	case "crash", "skew": // need others
		return []int{3, 10, 50}
	}
	return []int{1, 3, 10, 50}
}

// row is a cell with the figures of all its seeds.
type row struct {
	cell
	runs []figures
}

// TestMatrix prints the table of the cells that match the filter.
func TestMatrix(t *testing.T) {
	if *filter == "" {
		t.Skip("no -quotabench.filter is given")
	}
	wanted, err := regexp.Compile(*filter)
	if err != nil {
		t.Fatal(err)
	}
	var rows []*row
	t.Run("cells", func(t *testing.T) {
		for _, c := range matrix() {
			if !wanted.MatchString(c.String()) {
				continue
			}
			r := &row{cell: c}
			rows = append(rows, r)
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				r.runs = c.repeat(t, *seeds)
				t.Log(r.line())
			})
		}
	})
	if len(rows) == 0 {
		t.Fatalf("no cell matches %q; a name looks like %s", *filter, matrix()[0])
	}
	printTable(os.Stdout, rows)
}

// repeat runs the cell with the seeds 1, 2, ...
func (c cell) repeat(t *testing.T, seeds int) (all []figures) {
	for seed := range uint64(seeds) {
		all = append(all, c.run(t, seed+1))
	}
	return all
}
