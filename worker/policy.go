package worker

import (
	"fmt"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Policy decides whether a job may be done, and with which key.
type Policy interface {
	// Allow returns the key behind the job's alias when the sender of m may
	// use it for the job's operation and algorithm. Otherwise the error says
	// what was refused; it is shown to the sender. Allow must be quick: it
	// asks no other machine.
	Allow(job schema.Job, m queue.Message) (signer.Ref, error)
}

// Aliases is a Policy that lets every sender use the listed keys, each under
// its alias, with every operation and algorithm. An empty one allows nothing.
type Aliases map[string]signer.Ref

// Allow looks the job's alias up.
func (a Aliases) Allow(job schema.Job, _ queue.Message) (signer.Ref, error) {
	ref, ok := a[job.Key]
	if !ok {
		return signer.Ref{}, fmt.Errorf("key %q is not among the keys that this worker may use", job.Key)
	}
	return ref, nil
}
