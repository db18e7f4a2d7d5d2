package worker

import (
	"errors"
	"fmt"
	"slices"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
)

// Policy decides whether a job may be done, and with which key.
type Policy interface {
	// Allow returns the key behind the job's alias when the sender of m may
	// use it for the job's operation and algorithm. Otherwise the error says
	// what was refused; it is shown to the sender, under CodeKeyNotAllowed or
	// what the method Refused() schema.Code of the error returns. Allow must
	// be quick: it asks no other machine.
	Allow(job schema.Job, m queue.Message) (signer.Ref, error)
}

// notAllowed tells the sender of a job what a policy refused.
func notAllowed(err error) *schema.Error {
	code := schema.CodeKeyNotAllowed
	if r, ok := errors.AsType[interface {
		error
		Refused() schema.Code
	}](err); ok {
		code = r.Refused()
	}
	return &schema.Error{Code: code, Message: err.Error()}
}

// Allowance is a Policy that lets every sender do the listed operations with
// the listed keys, with every algorithm. The zero value allows nothing.
type Allowance struct {
	Keys       map[string]signer.Ref // by alias
	Operations []schema.Operation    // nil: Sign only
}

// Allow looks the job's operation and alias up.
func (a Allowance) Allow(job schema.Job, _ queue.Message) (signer.Ref, error) {
	ref, ok := a.Keys[job.Key]
	if !ok {
		return signer.Ref{}, fmt.Errorf("key %q is not among the keys that this worker may use", job.Key)
	}
	operations := a.Operations
	if operations == nil {
		operations = []schema.Operation{schema.Sign}
	}
	if !slices.Contains(operations, job.Operation) {
		return signer.Ref{}, fmt.Errorf("%s is not among the operations that this worker may do", job.Operation)
	}
	return ref, nil
}
