package worker

import "github.com/signmill/signmill/signer/instrument"

// The names of what a Worker measures.
const (
	metricOperation   = "messaging.client.operation.duration"
	metricSent        = "messaging.client.sent.messages"
	metricConsumed    = "messaging.client.consumed.messages"
	metricProcess     = "messaging.process.duration"
	metricJob         = "signmill.job.duration"
	metricQueueWait   = "signmill.queue.wait"
	metricRedelivered = "signmill.jobs.redelivered"
	metricDeadLetters = "signmill.dead_letters"
	metricItems       = "signmill.items"
	metricIntegrity   = "signmill.verify.failures"
	metricLockMargin  = "signmill.lock.margin"
	metricMalformed   = "signmill.trace.malformed"
	metricHeld        = "signmill.jobs.held"
	metricHeldMost    = "signmill.jobs.held.limit"
	metricPlaces      = "signmill.places.used"
	metricPlacesMost  = "signmill.places.limit"
)

// Attributes of measurements that spans do not have.
const (
	attributeOutcome = "signmill.outcome" // "ok" or a code of schema's
	attributeReason  = "signmill.reason"  // of a dead letter, a code of schema's
)

// Metrics describes what a [Worker] measures with Telemetry.Meter. The first
// four are OpenTelemetry's for messaging, at version 1.43.0.
func Metrics() []instrument.Row {
	messaging := []string{"messaging.system", "messaging.operation.name", "messaging.destination.name", "error.type"}
	seconds := []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	minutes := []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600}
	return []instrument.Row{
		{Name: metricOperation, Kind: instrument.Histogram, Unit: "s", About: "Duration of messaging operation initiated by a producer or consumer client", Attributes: messaging, Bounds: seconds},
		{Name: metricSent, Kind: instrument.Counter, Unit: "{message}", About: "Number of messages producer attempted to send to the broker", Attributes: messaging},
		{Name: metricConsumed, Kind: instrument.Counter, Unit: "{message}", About: "Number of messages that were delivered to the application", Attributes: messaging},
		{Name: metricProcess, Kind: instrument.Histogram, Unit: "s", About: "Duration of processing operation", Attributes: messaging, Bounds: seconds},
		{Name: metricJob, Kind: instrument.Histogram, Unit: "s", About: "Time from receipt to settlement of a job, in buckets up to an hour", Bounds: minutes},
		{Name: metricQueueWait, Kind: instrument.Histogram, Unit: "s", About: "Time from the arrival of a job on the queue to its receipt here, by the clocks of both", Bounds: minutes},
		{Name: metricRedelivered, Kind: instrument.Counter, Unit: "{job}", About: "Jobs received that had been delivered before"},
		{Name: metricDeadLetters, Kind: instrument.Counter, Unit: "{job}", About: "Jobs that this worker dead-lettered", Attributes: []string{attributeReason}},
		{Name: metricItems, Kind: instrument.Counter, Unit: "{item}", About: "Items that have an outcome, those of jobs that are given back too", Attributes: []string{string(attributeOperation), string(attributeKey), attributeOutcome}},
		{Name: metricIntegrity, Kind: instrument.Counter, Unit: "{item}", About: "Answers of a vault that failed the check and were thrown away; any is an alarm", Attributes: []string{string(attributeKey)}},
		{Name: metricLockMargin, Kind: instrument.Histogram, Unit: "s", About: "Time left on the lock when it was renewed; near zero is a job about to be lost", Bounds: []float64{0, 1, 2, 5, 10, 20, 30, 60, 120, 300}},
		{Name: metricMalformed, Kind: instrument.Counter, Unit: "{job}", About: "Jobs whose traceparent could not be read"},
		{Name: metricHeld, Kind: instrument.Gauge, Unit: "{job}", About: "Jobs held now", Attributes: []string{"messaging.destination.name"}},
		{Name: metricHeldMost, Kind: instrument.Gauge, Unit: "{job}", About: "Jobs that may be held at once", Attributes: []string{"messaging.destination.name"}},
		{Name: metricPlaces, Kind: instrument.Gauge, Unit: "{item}", About: "Items with the signer now that do not wait for the quota", Attributes: []string{"messaging.destination.name"}},
		{Name: metricPlacesMost, Kind: instrument.Gauge, Unit: "{item}", About: "Items that may be with the signer at once, for each vault", Attributes: []string{"messaging.destination.name"}},
	}
}
