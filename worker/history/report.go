package history

import (
	"errors"
	"fmt"
	"strings"
)

// Report is what a history came to. Jobs are counted, unless it says otherwise.
type Report struct {
	Attempted    int // that were sent, whatever became of it
	Accepted     int // that the broker confirmed
	Replied      int // with a result
	Duplicated   int // results that follow another one inside the duplicate window
	Late         int // results that follow another one after the window, which is allowed
	DeadLettered int
	Both         int // with a result and a dead letter
	Lost         int // accepted, and without an ending
	Recovered    int // not confirmed, and ended all the same
	Unexpected   int // ended, and never sent
	Waiting      int // ended, and still on the job queue
	Notices      int // replies that are no results
	Redelivered  int // deliveries after the first of a message, where deliveries were noted
	Copied       int // copies that the broker made of messages, where deliveries were noted
	Items        int // of all jobs
	Published    int // items with a verified signature
	Signatures   int // that the vault made
	ReSigned     int // signatures beyond those that were published

	allowed int // signatures that deliveries account for
	faults  []string
}

// most bounds how many broken promises an error tells.
const most = 20

func (r *Report) blame(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// Err returns the promises that are broken, at most 20 of them, or nil. That
// nothing was attempted is one: such a run shows nothing.
func (r Report) Err() error {
	var errs []error
	if r.Attempted == 0 {
		errs = append(errs, errors.New("no job was attempted"))
	}
	for i, fault := range r.faults {
		if i == most {
			errs = append(errs, fmt.Errorf("and %d more", len(r.faults)-most))
			break
		}
		errs = append(errs, errors.New(fault))
	}
	return errors.Join(errs...)
}

// Add adds the counts of another report to r, for a sum over many runs.
func (r *Report) Add(o Report) {
	sums, terms := r.rows(), o.rows()
	for i := range sums {
		*sums[i].n += *terms[i].n
	}
	r.allowed += o.allowed
	r.faults = append(r.faults, o.faults...)
}

// row is one line of the table.
type row struct {
	name string
	n    *int
}

func (r *Report) rows() []row {
	return []row{
		{"attempted", &r.Attempted},
		{"accepted", &r.Accepted},
		{"replied", &r.Replied},
		{"dead-lettered", &r.DeadLettered},
		{"both", &r.Both},
		{"lost", &r.Lost},
		{"duplicated", &r.Duplicated},
		{"late", &r.Late},
		{"recovered", &r.Recovered},
		{"unexpected", &r.Unexpected},
		{"waiting", &r.Waiting},
		{"notices", &r.Notices},
		{"redelivered", &r.Redelivered},
		{"copied", &r.Copied},
		{"items", &r.Items},
		{"published", &r.Published},
		{"signatures", &r.Signatures},
		{"re-signed", &r.ReSigned},
	}
}

// String is a table with a line for each count.
func (r Report) String() string {
	var b strings.Builder
	for _, line := range r.rows() {
		fmt.Fprintf(&b, "\n%-15s %10d", line.name, *line.n)
	}
	return b.String()
}
