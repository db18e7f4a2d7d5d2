// Package test owns the proof of the chart: Helm's own packages render it, and
// kubeconform holds what comes out against the schemas of Kubernetes, KEDA and
// the Prometheus operator. Kubernetes' judge of Pod Security and Prometheus'
// reader of queries have their say, too, and in the folder keda KEDA itself.
//
// It is a module of its own, so that signmill depends on none of them. It needs
// no cluster, and no network once its modules are there.
//
//	make chart-test          all of it
//	make chart-golden        write the snapshots and the README's tables anew
package test
