package worker_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signmill/signmill/queue"
	"github.com/signmill/signmill/queue/localbus"
	"github.com/signmill/signmill/schema"
	"github.com/signmill/signmill/signer/keyvault"
	"github.com/signmill/signmill/signer/localvault"
	"github.com/signmill/signmill/signer/quota"
)

// newGate returns a gate for one replica of so many, with a seed of its own.
func (r *rig) newGate(units quota.Units, replicas int) *quota.Gate {
	r.t.Helper()
	gate, err := quota.New(quota.Config{Quota: units, Share: quota.Static{Replicas: replicas}, Random: rand.NewPCG(1, 2)})
	r.must(err)
	r.t.Cleanup(gate.Close)
	return gate
}

// pace puts a vault with a quota, and answers that take as long as real ones,
// behind a gate. It returns what the vault is asked to sign.
func (r *rig) pace(units quota.Units) *sends {
	r.t.Helper()
	r.vault.SetQuota(localvault.Quota{Units: int(units)})
	r.vault.SetFaults(localvault.Faults{Delay: 80 * time.Millisecond})
	gate := r.newGate(units, 1)
	s := &sends{RoundTripper: r.vault.RoundTripper(), at: map[string]int{}}
	var err error
	r.keys, err = keyvault.New(keyvault.Config{Credential: anyToken{}, Transport: s, Gate: func(string, quota.Class) *quota.Gate { return gate }})
	r.must(err)
	r.config.Keys, r.config.Pace = r.keys, gate
	return s
}

// sends counts the calls that sign.
type sends struct {
	http.RoundTripper
	mu    sync.Mutex     // guards the fields below
	calls int            // sent
	at    map[string]int // number of the first call for a digest
	keys  []string       // of the calls, in order
}

func (s *sends) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.HasSuffix(request.URL.Path, "/sign") && request.Header.Get("Authorization") != "" {
		if err := s.note(request); err != nil {
			return nil, err
		}
	}
	return s.RoundTripper.RoundTrip(request)
}

func (s *sends) note(request *http.Request) error {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return err
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	var asked struct{ Value string }
	if err := json.Unmarshal(body, &asked); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.keys = append(s.keys, strings.Split(request.URL.Path, "/")[2])
	if _, again := s.at[asked.Value]; !again {
		s.at[asked.Value] = s.calls
	}
	return nil
}

func (s *sends) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// since returns the keys of the calls after the first n.
func (s *sends) since(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.keys[n:])
}

// of returns how many calls were sent before the first of a job.
func (s *sends) of(j schema.Job) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[base64.RawURLEncoding.EncodeToString(j.Items[0].Digest)] - 1
}

// arrivals is a receiver that notes how many calls were sent when a delivery
// came.
type arrivals struct {
	queue.Receiver
	sends *sends
	mu    sync.Mutex     // guards at
	at    map[string]int // by message id
}

func (a *arrivals) Receive(ctx context.Context, limit int) ([]*queue.Delivery, error) {
	got, err := a.Receiver.Receive(ctx, limit)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, d := range got {
		a.at[d.ID] = a.sends.count()
	}
	return got, err
}

func (a *arrivals) of(id string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at[id]
}

// TestJobOfOneWaitsForOneTurn lets jobs of one item come while one of ten
// thousand is under way: at most one call of the big job goes before each.
func TestJobOfOneWaitsForOneTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const small, big, room = 40, 10_000, 4 << 20
		r := newRigOn(t, localbus.Config{Queues: []localbus.Queue{
			{Name: "premium", QueueProperties: localbus.QueueProperties{MaxMessageBytes: room}},
		}})
		s := r.pace(1000)
		r.config.Limits = schema.Limits{MaxItems: big, MaxBytes: room, MaxResultBytes: room}
		r.jobs = r.sender("premium")
		came := &arrivals{Receiver: r.receiver("premium"), sends: s, at: map[string]int{}}
		r.config.Jobs = came
		r.start()
		body, err := job("big", big).Encode(r.config.Limits)
		r.must(err)
		r.send(queue.Message{ID: "big", Body: body})
		<-time.After(3 * time.Second) // its items wait everywhere where they can
		if n := r.config.Pace.(*quota.Gate).State().Waiting; n == 0 || n > 64 {
			t.Errorf("%d items of the big job wait for the quota, want some, but no more than have a place", n)
		}
		var delays []int
		var times []time.Duration // from submission to reply
		for i := range small {
			j := job(fmt.Sprint("small ", i), 1)
			sent := time.Now()
			r.submit(j)
			result, _ := r.reply()
			r.verify(j, result)
			times = append(times, time.Since(sent))
			delays = append(delays, s.of(j)-came.of(j.ID))
			<-time.After(time.Duration(37*i%100) * time.Millisecond)
		}
		slices.Sort(delays)
		slices.Sort(times)
		t.Logf("calls that went before a job of one: p50 %d, p99 %d; it took p50 %s, p99 %s", delays[small/2], delays[small*99/100], times[small/2], times[small*99/100])
		if most := times[small-1]; most > time.Second {
			t.Errorf("a job of one took %s beside a big one, want little more than one turn and one call", most)
		}
		if most := delays[small-1]; most > 1 {
			t.Errorf("%d calls went before a job of one, want one turn of the other job", most)
		}
	})
}

// TestDearJobsLeaveTheOthersTheirPace has a full backlog of two classes. In
// units both get the same, so that of the calls the cheap class gets 16 times
// as many.
func TestDearJobsLeaveTheOthersTheirPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, localvault.KeySpec{Name: "dear", Type: "RSA-HSM", Size: 4096})
		s := r.pace(2000)
		r.start()
		dear := job("dear", 350)
		dear.Key, dear.Algorithm = "dear", schema.RS256
		r.submit(dear)
		<-time.After(3 * time.Second)
		from := s.count()
		r.submit(job("cheap", 320))
		result, _ := r.reply()
		r.verify(job("cheap", 320), result)
		cheap, other := 0, 0
		for _, key := range s.since(from) {
			if key == "ec" {
				cheap++
			} else {
				other++
			}
		}
		t.Logf("%d dear calls went during %d cheap ones", other, cheap)
		if most := cheap/16 + 2; other > most {
			t.Errorf("%d dear calls went during %d cheap ones, want %d at most", other, cheap, most)
		}
	})
}
