// Package redisshare grants the send times of a fleet of replicas from one
// record on Redis or Valkey.
//
// # What it is
//
// A [Share] is a quota.Share whose slots come from a store that all replicas
// reach. The store keeps one record for each vault. Only a script changes it
// (slots.lua), which the store runs as one step, by its own clock. The record
// holds the quota controller once for the whole fleet, so one replica's 429 is
// known to all, and uneven demand uses the whole quota.
//
// # How it flows
//
// The gate asks with the costs of the calls that wait and the results of those
// that ended. The script judges the results, counts who asked within 2.5 s, and
// grants an equal part of a quarter of a second: when the first call may leave,
// counted from the answer, and how fast the others may follow. When the quota
// is used up or back, or a try for more was too much, the script raises the
// epoch and publishes it; grants of an earlier epoch are void. While the quota is
// used up, one call at a time is granted as a probe.
//
// # Guarantees
//
// Grants are for times of the store's clock, however long an answer is held up.
// What was lost in a pause is caught up as far as the quota of a window allows.
//
// A probe whose holder fails, vanishes or stays silent for 2 s is given to
// another. A requester that vanishes stops counting after 2.5 s.
//
// A store that is down, slow or cut off is noticed within [Config.Timeout] of
// the next question, and within twice [Config.Ping] without one. The replica then sends at its
// last part of the last known rate and judges by itself. It comes back after a
// random wait of at most 2 s. While replicas come back, the record grants only
// the part of the rate that belongs to those that are back, so that both kinds
// together stay at the quota.
//
// Where replicas were told different quotas, as while a new one is rolled out, the
// smallest counts until 2.5 s after the last question of those who have it.
//
// A record that was lost (restart without data, eviction) or is older than it
// was (failover, restored backup) is told the scale and epoch that replicas
// remember. A replica that finds no record and remembers nothing makes one, and
// nobody is granted anything for 4 s or until one comes that does remember. The
// store's clock may jump: the record's time never goes back.
//
// A record expires an hour after the last question, and holds some 100 kB at
// most. On a cluster its four keys lie in one slot.
//
// # Errors
//
// [New] lists all faults of a configuration at once, and never quotes the URL.
// Ask and Report return the cause, and the share turns to the replica's own
// pace. A replica that the store has never answered a question sends nothing.
//
// # Concurrency
//
// A Share serves one gate, which may call it from any goroutine.
package redisshare
