// Package status owns what a worker tells of itself over HTTP.
//
// What it is. A [Server] answers the probes of a cluster, shows a page to people
// and the same as JSON to programs, and hands on what Prometheus reads:
//
//	/livez        200 while no job stays at one step for longer than it may
//	/readyz       200 while the worker takes jobs
//	/metrics      in Prometheus' form
//	/             the page, which loads nothing and runs no script
//	/status.json  the page for programs
//
// How it flows. The state of workers and gates is read when somebody asks. Every
// five seconds it is also kept, so that rates can be told. Every fifteen seconds
// the broker is asked, on links of their own, whether it answers and how many
// jobs wait; jobs never wait for that.
//
// Guarantees. Ready means: queues and keys could be used at the start, every job
// queue accepts the worker, and the broker answers, which takes links and a token
// that are good. It does not mean that the vault answers, which is the same for
// all replicas, and no key is used to find out: nothing is signed but for a job.
// A backlog is an estimate, and is told as unknown when it is.
//
// Errors. Listen fails when its address cannot be had. All else is shown.
//
// Concurrency. Everything may be called from any goroutine.
package status
