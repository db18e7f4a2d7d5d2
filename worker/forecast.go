package worker

import (
	"fmt"
	"time"

	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer"
	"github.com/signmill/signmill/signer/quota"
)

// Forecaster is what Config.Keys may be besides: it knows what work takes of a
// quota at least. A keyvault.Client is one.
type Forecaster interface {
	// Forecast tells what n operations with a key take. The zero value: no
	// quota bounds them, as far as is known.
	Forecast(key signer.Key, o schema.Operation, n int) quota.Forecast
}

// outOfReach returns an error for a job that its quota does not let end in the
// time for an attempt, or before its notAfter, and nil for any other. Such a job
// would use up the quota in each of its attempts, and come to nothing in the
// last one.
func (w *Worker) outOfReach(job schema.Job, key signer.Key) *schema.Error {
	keys, ok := w.Keys.(Forecaster)
	if !ok {
		return nil
	}
	has, advice := w.JobTimeout, "split the job, or give workers a longer job timeout"
	if left := time.Until(job.NotAfter); !job.NotAfter.IsZero() && left < has {
		has, advice = left, "split the job, or let notAfter be later"
	}
	f := keys.Forecast(key, job.Operation, len(job.Items))
	if f.Least <= has {
		return nil
	}
	return &schema.Error{Code: schema.CodeThrottled, Message: fmt.Sprintf(
		"%d items cost %d units of the vault's quota; this worker, one of %d, may use %d in the %s that it has: %s",
		len(job.Items), f.Units, f.Replicas, int(f.Rate*max(0, has.Seconds())), has.Round(time.Second), advice)}
}
