package policy

import (
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
)

// Identify returns who sent m and what told, such as "billing (claim)", for an
// audit log; "" where the file names no producers or nothing tells.
func (f *File) Identify(job schema.Job, m queue.Message) string {
	producer, by, refusal := f.identify(job, m)
	if refusal != nil || producer == "" {
		return ""
	}
	return producer + " (" + by + ")"
}
