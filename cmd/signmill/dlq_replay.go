package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/signmill/signmill/cmd/signmill/internal/deadletter"
	"github.com/signmill/signmill/cmd/signmill/internal/display"
)

const dlqReplayHelp = `Puts dead letters back on their queue, where workers take them as any other job.
What made them fail should be mended first.

A job stays what it was: body, reply address, session, subject and properties.
Only the MessageID is another, because the queue remembers the old one and would
drop the copy without a word. The new one follows from the old one and the
sequence number, and the reply's correlation stays as the sender knows it.

Each copy is sent first, and then the dead letter is deleted. Nothing is lost at
any moment, also by kill -9: the same command goes on with the rest. A dead
letter that was sent and not deleted is sent again under the same MessageID, so
that a queue with duplicate detection shows it once; on any other the job may be
done twice, and its reply is still seen once. Others may replay at the same time.

It acts on what it has counted, and on nothing that comes later. It takes dead
letters from the front of the queue, asks for as many as are left to do, and holds
aside, up to 1,000, what comes and does not match. Those are given back at the
end and have counted one delivery more, which means nothing to a dead letter; what
stands behind the last match is not touched.`

func newDLQReplay(o *dlqOptions) *cobra.Command {
	return newDLQAct(&cobra.Command{
		Use:   "replay",
		Short: "Put dead letters back on their queue",
		Long:  dlqReplayHelp,
		Example: `  signmill dlq replay --reason attempts_exhausted --dry-run
  signmill dlq replay --job 2f1c4a3e-batch-7 --yes`,
	}, &dlqAct{
		dlqOptions: o,
		words:      display.Words{Doing: "replay", Things: "dead letters", Done: "replayed"},
		warning:    "workers will do these jobs",
		ready:      openReplay,
	})
}

// openReplay finds out now whether copies can be sent.
func openReplay(ctx context.Context, m *morgue) (deadletter.Act, error) {
	to, err := m.client.Sender(m.queue)
	if err == nil {
		err = to.Warm(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("nothing was replayed: %w", err)
	}
	return deadletter.Replay(to), nil
}
