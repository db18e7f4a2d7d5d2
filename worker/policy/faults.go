package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a file.
type Fault struct {
	Line    int    `json:"line"`   // from 1 on; 0: the file as a whole
	Column  int    `json:"column"` // from 1 on; 0: the line as a whole
	Path    string `json:"path"`   // of the field, such as keys.invoices.vault; "": the file as a whole
	Message string `json:"message"`
}

// String returns the fault in one line.
func (f Fault) String() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", f.Line)
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	return b.String() + f.Message
}

// Faults is all that is wrong with a file, by line.
type Faults []Fault

// Error returns one fault in each line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// maxFaults bounds the faults that are told.
const maxFaults = 100

// sorted returns the faults by line, none twice, and not too many. More are
// those that were not kept.
func (f Faults) sorted(more int) Faults {
	slices.SortStableFunc(f, func(a, b Fault) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	f = slices.Compact(f)
	if len(f) > maxFaults {
		f, more = f[:maxFaults:maxFaults], more+len(f)-maxFaults
	}
	if more > 0 {
		f = append(f, Fault{Message: fmt.Sprintf("and %d more", more)})
	}
	return f
}
