// Package worker is the only place where queue, schema and signer meet.
package worker
