// Package keda owns the proof that KEDA does with the chart's objects what the
// chart says: KEDA's own code reads the queue of signmill local, evaluates the
// formula, and decides how many replicas there are. The objects are those of the
// snapshots of the package above, which has to be green first.
//
// It is a module of its own, since KEDA needs other versions of Kubernetes'
// modules than Helm does; get-source brings KEDA's.
package keda
