package main

import "strings"

// storeCures say what to do about what stores and networks say. The first that
// fits counts.
var storeCures = []struct{ says, cure string }{
	{"NOAUTH", "put the store's password into " + redisPassword},
	{"WRONGPASS", "give " + redisPassword + " the password of the store's user, and name a user other than default in --share, as in rediss://USER@HOST:PORT; in Azure without a password, make the identity a user of the store"},
	{"without any password configured", "unset " + redisPassword + ": the store has no password"},
	{"NOPERM", storeRights},
	{"The user executing the script", storeRights},
	{"READONLY", "this is a replica, which only reads: name the primary in --share"},
	{"MOVED", "this is a node of a cluster: write --share as redis+cluster:// or rediss+cluster://"},
	{"CLUSTERDOWN", "give the cluster's slots to nodes that are up: redis-cli --cluster fix HOST:PORT"},
	{"cluster support disabled", "this is no cluster: leave +cluster out of --share"},
	{"OOM", "give the store more maxmemory; signmill needs some 100 kB for each vault"},
	{"sentinel", "name a sentinel in --share, with ?master= and the name that it has for the primary"},
	{"unknown command", "let the store know the commands EVALSHA, EVAL, SUBSCRIBE, PUBLISH and those of hashes, lists and sorted sets, under their own names"},
	{"DB index", "leave the number of the database out of --share, or allow as many with the store's setting databases"},
	{"NOREPLICAS", "let the store's replicas come back, which it wants to have before it writes"},
	{"MISCONF", "let the store save to its disk again, which it wants to do before it writes"},
	{"LOADING", "wait until the store has loaded its data"},
	{"does not look like a TLS handshake", "the store speaks no TLS there: name its TLS port, or write redis:// in place of rediss://"},
	{"certificate required", "let the store ask for no certificate of its clients (tls-auth-clients no): signmill has none to show"},
	{"x509:", "name the store in --share as its certificate does, and trust its authority with SSL_CERT_FILE, which takes the place of the system's"},
	{"no such host", "find the store's right name for --share"},
	{"connection refused", "see that the store is up, and that --share names its port"},
	{"can't parse", "something else than a Redis or Valkey answers there: mend --share"},
	{"reset by peer", hungUp},
	{"EOF", hungUp},
}

// hungUp is for a store that ends the connection without a word.
const hungUp = "write rediss:// in --share where the store speaks TLS, and let it ask for no certificate of its clients"

// storeRights lets a user do all that slots.lua and a subscription do.
const storeRights = "let the store's user do it: ACL SETUSER USER on ~signmill:quota:* &signmill:quota:* +@connection +@pubsub +@scripting +@hash +@list +@sortedset +@keyspace +time"

// storeCure says what to do about a store's refusal.
func storeCure(err error) string {
	for _, c := range storeCures {
		if strings.Contains(err.Error(), c.says) {
			return c.cure
		}
	}
	return "let this network reach the store, which must answer within half a second; a store that speaks TLS is named as rediss://, another as redis://"
}
