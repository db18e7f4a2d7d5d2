package redisshare

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/signmill/signmill/signer/quota"
)

//go:embed slots.lua
var source string

var script = redis.NewScript(source)

// question is what the script is asked.
type question struct {
	Op     string        `json:"op"` // ask, report, join, leave
	Who    string        `json:"who"`
	Record uint64        `json:"record"` // that is known; zero: none
	Epoch  uint64        `json:"epoch"`
	Scale  float64       `json:"scale"`
	Frozen int           `json:"frozen"` // replicas it shared with by itself until now; zero: it did not
	Full   float64       `json:"full"`   // units per second at scale 1
	Guard  float64       `json:"guard"`
	Window float64       `json:"window"` // s
	Seed   uint32        `json:"seed"`
	Want   []quota.Units `json:"want"`
	Done   []done        `json:"done"`
}

// done is outcome, cost, age in seconds, epoch and Retry-After in seconds.
type done [5]float64

// answer is what the script says.
type answer struct {
	record, epoch uint64
	fleet         int
	scale         float64
	given         time.Duration // the record's time
	full          float64       // units per second at scale 1: the least that any replica was told
	grant         quota.Grant
}

// jitter is added at most to the time of the next question, so that those who
// were refused together do not come back together.
const jitter = 300 * time.Millisecond

// Ask returns a grant. Calls that ended are judged before.
func (s *Share) Ask(ctx context.Context, want []quota.Units, done []quota.Done) (quota.Grant, error) {
	a, err := s.run(ctx, "ask", want, done)
	if err == nil && a.grant.Units == 0 {
		a.grant.Again += rand.N(jitter)
	}
	return a.grant, err
}

// Report tells results at once.
func (s *Share) Report(ctx context.Context, done []quota.Done) error {
	_, err := s.run(ctx, "report", nil, done)
	return err
}

// run asks the script. When that fails the store counts as lost.
func (s *Share) run(ctx context.Context, op string, want []quota.Units, ended []quota.Done) (answer, error) {
	q := s.question(op)
	q.Want, q.Done = want, make([]done, len(ended))
	for i, d := range ended {
		q.Done[i] = done{float64(d.Outcome), float64(d.Cost), d.Age.Seconds(), float64(d.Epoch), d.RetryAfter.Seconds()}
	}
	text, err := json.Marshal(q)
	if err != nil {
		return answer{}, fmt.Errorf("question to the store: %w", err)
	}
	bounded, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	asked := time.Now()
	values, err := script.Run(bounded, s.client, s.keys, text).StringSlice()
	var a answer
	if err == nil {
		a, err = read(values)
	}
	if err != nil {
		err = fmt.Errorf("%s the store: %w", op, err)
		if ctx.Err() == nil {
			s.lose(err)
		}
		return answer{}, err
	}
	a.grant.Late = s.learn(q, a, asked)
	return a, nil
}

var errAnswer = errors.New("the store answers in another form; does another version use it?")

// read parses an answer.
func read(values []string) (answer, error) {
	var n [11]float64
	if len(values) != len(n) {
		return answer{}, errAnswer
	}
	for i, v := range values {
		x, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return answer{}, errAnswer
		}
		n[i] = x
	}
	return answer{
		record: uint64(n[0]), epoch: uint64(n[1]), fleet: int(n[2]), scale: n[3], given: seconds(n[4]), full: n[5],
		grant: quota.Grant{
			Epoch: uint64(n[1]), After: seconds(n[6]), Units: quota.Units(n[7]), Rate: n[8],
			Probe: n[9] == 1, Again: seconds(n[10]),
		},
	}, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
