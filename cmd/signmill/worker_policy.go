package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/signmill/signmill/cmd/signmill/internal/display"
	"github.com/signmill/signmill/worker/policy"
)

// policyFile is the file of --policy, and how it is read.
func (o workerOptions) policyFile(local bool) policyFile {
	home := cloudNamed(o.azure.identity.cloud)
	return policyFile{path: o.policy, jobs: o.jobs, local: local, all: o.budget, admit: func(f *policy.File) error {
		for _, vault := range urls(f) {
			if err := home.checkVault(vault); err != nil {
				return err
			}
		}
		return nil
	}}
}

// atStart makes wrong usage of a policy that a worker cannot begin with.
func atStart(path string, err error) error {
	var faults policy.Faults
	if errors.As(err, &faults) {
		return usagef("--policy %s is wrong:\n%w", display.OneLine(path), err)
	}
	return err
}

// policyFollower takes over each change of a policy file.
type policyFollower struct {
	*post
	file  policyFile
	log   *slog.Logger
	wrong string // what the last read found; "": it was well
}

// A file must lie still for a while before it is read: those who write it do so
// in steps. Beside one that never does, it is read all the same.
const (
	stillFor      = 200 * time.Millisecond
	stillAtLatest = 5 * time.Second
)

// followPolicy takes over changes of the file until stop, which waits. The
// file's directory is watched: an editor puts a new file in its place, and
// Kubernetes turns a link beside it to another directory.
func (o workerOptions) followPolicy(ctx context.Context, p *post, b backend, log *slog.Logger) (stop func(), err error) {
	watch, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch the policy: %w", err)
	}
	if err := watch.Add(filepath.Dir(o.policy)); err != nil {
		watch.Close() //nolint:errcheck // nothing was watched
		return nil, fmt.Errorf("watch the policy: %w", err)
	}
	hups := make(chan os.Signal, 1)
	signal.Notify(hups, syscall.SIGHUP)
	ctx, end := context.WithCancel(ctx)
	changes := make(chan struct{}, 1) // never closed
	changes <- struct{}{}             // whatever came since the start
	f := &policyFollower{post: p, file: o.policyFile(b.Vault.Local), log: log.With("policy", o.policy)}
	var crew sync.WaitGroup
	crew.Go(func() { gather(ctx, watch, hups, changes, f.log) })
	crew.Go(func() { whenStill(ctx, changes, func() { f.reload(ctx) }) })
	return func() {
		signal.Stop(hups)
		end()
		crew.Wait()
		watch.Close() //nolint:errcheck // only watched
	}, nil
}

// gather tells changes of whatever happens beside the file, and of SIGHUP.
func gather(ctx context.Context, watch *fsnotify.Watcher, hups <-chan os.Signal, changes chan<- struct{}, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hups:
		case <-watch.Events:
		case err := <-watch.Errors:
			log.Warn("the policy's directory is watched with gaps; SIGHUP has the policy read", "error", err)
		}
		select {
		case changes <- struct{}{}:
		default:
		}
	}
}

// whenStill calls do when there was a change and then none for a while, until
// ctx ends.
func whenStill(ctx context.Context, changes <-chan struct{}, do func()) {
	still := time.NewTimer(0)
	defer still.Stop()
	still.Stop()
	var first time.Time // of the changes that wait; zero: none does
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
			if first.IsZero() {
				first = time.Now()
			}
			still.Reset(min(stillFor, time.Until(first.Add(stillAtLatest))))
		case <-still.C:
			first = time.Time{}
			do()
		}
	}
}

// reload reads the file and takes it over, if it is well and another than
// before.
func (f *policyFollower) reload(ctx context.Context) {
	next, err := f.file.read()
	if err == nil {
		err = checkKeys(next, f.vault)
	}
	if err != nil {
		if f.wrong != err.Error() {
			f.wrong = err.Error()
			f.log.Error("policy is wrong; the one before stays in force", "faults", faultTexts(err))
		}
		return
	}
	was := f.rules.now.Load()
	if reflect.DeepEqual(was, next) {
		if f.wrong != "" {
			f.log.Info("policy is well again, and as before")
		}
		f.wrong = ""
		return
	}
	f.take(ctx, was, next)
}

// take puts next in the place of was: first what its jobs need, then itself.
func (f *policyFollower) take(ctx context.Context, was, next *policy.File) {
	waits, err := f.gates.apply(next)
	if err == nil {
		err = f.setReplies(next)
	}
	if err != nil {
		f.wrong = err.Error()
		f.log.Error("policy cannot be taken over; the rules before stay in force", "error", err)
		return
	}
	f.wrong = ""
	f.rules.now.Store(next)
	if !slices.Equal(next.JobQueues(f.file.jobs), was.JobQueues(f.file.jobs)) {
		waits = append(waits, "job queues")
	}
	f.log.Info("policy is taken over", "vaults", len(next.Vaults), "keys", len(next.Keys), "producers", len(next.Producers))
	if len(waits) > 0 {
		f.log.Warn("parts of the policy change with the next start", "parts", waits)
	}
	if err := f.warmKeys(ctx, f.log); err != nil && ctx.Err() == nil {
		f.log.Error("policy has no key that can be used", "error", err)
	}
}

// setReplies opens what is new and has all workers reply there.
func (f *policyFollower) setReplies(next *policy.File) error {
	senders, err := f.replies(next)
	if err != nil {
		return err
	}
	for _, w := range f.workers {
		if err := w.SetReplies(senders, next.Replies[0]); err != nil {
			return err
		}
	}
	return nil
}

// faultTexts lists what is wrong, one text for each fault.
func faultTexts(err error) []string {
	var faults policy.Faults
	if !errors.As(err, &faults) {
		return []string{err.Error()}
	}
	var texts []string
	for _, fault := range faults {
		texts = append(texts, fault.String())
	}
	return texts
}
