package main

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/worker"
)

// judged is a check with its verdict.
type judged struct {
	check   string
	verdict verdict
}

// judgeQueue compares a queue's settings with what the worker will do there.
func (v *visit) judgeQueue(name, right string, info servicebus.QueueInfo) []judged {
	switch right {
	case rightSend:
		return []judged{
			{"duplicates", v.judgeDuplicates(name, info)},
			{"sessions", judgeReplySessions(info)},
			{"messages", v.judgeMessages(name, info)},
		}
	case rightTraces:
		return []judged{
			{"sessions", judgeTraceSessions(info)},
			{"messages", v.judgeMessages(name, info)},
		}
	}
	return []judged{
		{"lock", v.judgeLock(name, info)},
		{"deliveries", v.judgeDeliveries(name, info)},
		{"sessions", v.judgeJobSessions(name, info)},
		{"messages", v.judgeMessages(name, info)},
	}
}

// shortLock is a lock that a slow answer of the broker may let run out: a lock is
// renewed after a third of it, and an attempt to renew may take 5 s, twice.
const shortLock = 15 * time.Second

// judgeLock wants a lock that can be renewed in time. How long a job takes is
// bounded by --job-timeout, and the lock is renewed until then.
func (v *visit) judgeLock(name string, info servicebus.QueueInfo) verdict {
	timeout := cmp.Or(v.options.worker.config.JobTimeout, defaultJobTimeout)
	v.lock = info.LockDuration
	switch {
	case info.LockDuration < shortLock:
		return warn(fmt.Sprintf("a lock of %s leaves little time to renew it", info.LockDuration), v.az("update", name)+" --lock-duration PT1M")
	case info.LockDuration < timeout:
		return well("%s, renewed up to --job-timeout %s", info.LockDuration, timeout)
	}
	return well("%s, longer than --job-timeout %s; so long jobs of a dead worker wait", info.LockDuration, timeout)
}

// judgeDeliveries wants the worker to give up before the broker does, which
// would dead-letter without a word to the requester.
func (v *visit) judgeDeliveries(name string, info servicebus.QueueInfo) verdict {
	attempts := cmp.Or(v.options.worker.config.MaxDeliveries, defaultMaxDeliveries)
	if info.MaxDeliveries < attempts {
		return ill(fmt.Sprintf("the queue gives up after %d deliveries, before --max-deliveries %d: requesters would not be told", info.MaxDeliveries, attempts),
			v.az("update", name)+" --max-delivery-count "+strconv.Itoa(attempts)+", or set --max-deliveries "+strconv.Itoa(info.MaxDeliveries))
	}
	return well("%d, and --max-deliveries is %d", info.MaxDeliveries, attempts)
}

// judgeJobSessions wants none: the worker takes jobs in any order.
func (v *visit) judgeJobSessions(name string, info servicebus.QueueInfo) verdict {
	if info.Sessions {
		return ill("the queue requires sessions, and a worker takes jobs without", "the setting is for life; make another queue and name it with --jobs: "+v.az("create", name+"-plain"))
	}
	return well("not required")
}

func judgeReplySessions(info servicebus.QueueInfo) verdict {
	if info.Sessions {
		return well("required: requesters name theirs in ReplyToSessionId, as sign does with --reply-session")
	}
	return well("not required")
}

// judgeTraceSessions tells how the traces are read.
func judgeTraceSessions(info servicebus.QueueInfo) verdict {
	if info.Sessions {
		return well("required: the traces have one of their own, which signmill traces takes with --session")
	}
	return well("not required")
}

// judgeDuplicates wants a result to be seen once, also when a job is delivered
// again after its reply.
func (v *visit) judgeDuplicates(name string, info servicebus.QueueInfo) verdict {
	if !info.Duplicates {
		return ill("duplicates are not detected: a job that is delivered twice is answered twice",
			"the setting is for life; delete the queue when it is empty and make it anew with: "+v.az("create", name)+" --enable-duplicate-detection true --duplicate-detection-history-time-window PT4H")
	}
	lock, attempts := cmp.Or(v.lock, time.Minute), cmp.Or(v.options.worker.config.MaxDeliveries, defaultMaxDeliveries)
	if again := time.Duration(attempts) * (lock + worker.LongestPause); info.DuplicateWindow < again {
		return warn(fmt.Sprintf("they are detected for %s, less than --max-deliveries %d x (lock %s + pause %s) = %s: a job of which two copies are under way may be answered twice",
			info.DuplicateWindow, attempts, lock, worker.LongestPause, again),
			v.az("update", name)+" --duplicate-detection-history-time-window PT"+strconv.Itoa(int(again/time.Hour)+1)+"H")
	}
	return well("detected for %s", info.DuplicateWindow)
}

// judgeMessages tells what waits.
func (v *visit) judgeMessages(name string, info servicebus.QueueInfo) verdict {
	text := fmt.Sprintf("%d active, %d scheduled, %d dead-lettered", info.Active, info.Scheduled, info.DeadLetters)
	if info.DeadLetters > 0 {
		return warn(text, "read the reasons in "+servicebus.DeadLetters(name)+", mend their cause, and send the messages again or drop them")
	}
	return well("%s", text)
}
