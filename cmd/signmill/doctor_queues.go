package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/servicebus"
	"github.com/signmill/signmill/signer"
)

// queues looks at the rights on every queue, and at its settings.
func (v *visit) queues(ctx context.Context, reached bool) {
	for _, name := range slices.Concat(v.post.jobs, v.post.lanes) {
		v.queue(ctx, reached, name, rightListen)
		v.putOff(ctx, reached, name)
	}
	replies := v.post.rules.now.Load().Replies
	for i, name := range replies {
		if !slices.Contains(replies[:i], name) {
			v.queue(ctx, reached, name, rightSend)
		}
	}
	v.traceQueue(ctx, reached, replies)
}

// What is looked at on a queue: the right that the worker needs there, and for
// what.
const (
	rightListen = "listen" // to take jobs
	rightSend   = "send"   // replies
	rightTraces = "send traces"
)

// traceQueue looks at a queue that was named for traces. Without one they go to
// the reply queue, which was looked at.
func (v *visit) traceQueue(ctx context.Context, reached bool, replies []string) {
	name := v.options.worker.traceQueue
	same := func(other string) bool { return strings.EqualFold(name, other) }
	if name == "" || slices.ContainsFunc(replies, same) {
		return
	}
	names, err := exporterNames(signalTraces, []string{exportServiceBus})
	switch {
	case err == nil && !slices.Contains(names, exportServiceBus):
		v.note(rightTraces, "queue "+name, skip("OTEL_TRACES_EXPORTER sends no traces to a queue"))
	case slices.ContainsFunc(slices.Concat(v.post.jobs, v.post.lanes), same):
		v.note(rightTraces, "queue "+name, ill("it is a job queue: workers would take the traces for jobs and dead-letter them", "name another queue with --trace-queue"))
	default:
		v.queue(ctx, reached, name, rightTraces)
	}
}

// queue opens a link for the right and then reads the settings.
func (v *visit) queue(ctx context.Context, reached bool, name, right string) {
	subject := "queue " + name
	if !reached {
		v.note(right, subject, skip("the namespace cannot be used"))
		return
	}
	if !v.try(ctx, right, subject, func(ctx context.Context) verdict { return v.link(ctx, name, right) }) {
		v.note("settings", subject, skip("the queue cannot be used"))
		return
	}
	v.settings(ctx, name, right)
}

// putOff looks whether jobs can be sent back, to come later.
func (v *visit) putOff(ctx context.Context, reached bool, name string) {
	if !reached {
		return // said of the queue already
	}
	v.try(ctx, "put off", "queue "+name, func(ctx context.Context) verdict {
		found := v.link(ctx, name, rightSend)
		if found.result == resultOK {
			return well("jobs can be put off")
		}
		return warn("jobs cannot be put off, and are given back at once, which raises their delivery count: "+found.detail, v.rightCure(name, rightSend))
	})
}

// link opens a link and takes or sends nothing.
func (v *visit) link(ctx context.Context, name, right string) verdict {
	warm := func() error {
		if right != rightListen {
			sender, err := v.post.client.Sender(name)
			if err != nil {
				return err
			}
			return sender.Warm(ctx)
		}
		receiver, err := v.post.client.Receiver(name)
		if err != nil {
			return err
		}
		return receiver.Warm(ctx)
	}
	if err := warm(); err != nil {
		return v.barred(name, right, err)
	}
	return well("allowed")
}

// barred is the verdict that a broker's refusal means.
func (v *visit) barred(name, right string, err error) verdict {
	said := err
	if e, ok := errors.AsType[*queue.Error](err); ok {
		said = e.Err // the line names step and queue itself
	}
	switch {
	case right == rightListen && strings.Contains(said.Error(), "requires sessions"):
		return v.judgeJobSessions(name, servicebus.QueueInfo{Sessions: true})
	case errors.Is(err, queue.ErrNotFound):
		return ill("there is no such queue, or it is disabled", "make it with: "+v.az("create", name)+map[string]string{rightSend: " --enable-duplicate-detection true"}[right])
	case errors.Is(err, queue.ErrUnauthorized):
		return ill(display.Cut(said.Error(), 300), v.rightCure(name, right))
	}
	return ill(display.Cut(said.Error(), 300), "check that the broker is up and that this network may reach it")
}

// rightCure says who must be allowed what.
func (v *visit) rightCure(name, right string) string {
	if v.Bus.ConnectionString != "" {
		claim := "Send"
		if right == rightListen {
			claim = "Listen"
		}
		return "take a connection string whose key is current and whose rule has the right " + claim + ": az servicebus queue authorization-rule create --namespace-name " +
			v.busName() + " --queue-name " + name + " --name signmill --rights " + claim
	}
	role := "Azure Service Bus Data Sender"
	if right == rightListen {
		role = "Azure Service Bus Data Receiver"
	}
	return `give the identity the role "` + role + `" with: az role assignment create --role "` + role + `" --assignee IDENTITY --scope <resource id of queue ` + name + ">"
}

// az is the beginning of a command about a queue.
func (v *visit) az(verb, name string) string {
	return "az servicebus queue " + verb + " --namespace-name " + v.busName() + " --name " + name
}

// busName is the namespace's name in Azure; on this machine it has none.
func (v *visit) busName() string {
	at, _ := v.Bus.Address() // it was reached
	if signer.Loopback(at.Host) {
		return at.Host
	}
	name, _, _ := strings.Cut(at.Host, ".")
	return name
}

// settings reads a queue's settings, where that is allowed.
func (v *visit) settings(ctx context.Context, name, right string) {
	subject := "queue " + name
	var info servicebus.QueueInfo
	known := false
	v.try(ctx, "settings", subject, func(ctx context.Context) (found verdict) {
		var err error
		info, err = servicebus.Inspect(ctx, v.Bus, name)
		switch known = err == nil; {
		case errors.Is(err, queue.ErrUnauthorized):
			return skip("they take the right to manage, which a worker does not need: run doctor as a person with Azure Service Bus Data Owner")
		case err != nil:
			return skip("the management API cannot be used: %s", display.Cut(err.Error(), 300))
		case info.Status != "Active":
			return ill("the queue's status is "+info.Status, v.az("update", name)+" --status Active")
		}
		return well("the queue is active")
	})
	if !known {
		return
	}
	for _, c := range v.judgeQueue(name, right, info) {
		v.note(c.check, subject, c.verdict)
	}
}
