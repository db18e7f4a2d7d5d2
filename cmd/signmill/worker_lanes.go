package main

import (
	"math"
	"strconv"
	"strings"

	"github.com/signmill/signmill/signer/quota"
	"github.com/signmill/signmill/worker"
)

// lane is a value of --lane.
type lane struct {
	name, queue string
	weight      float64
}

// parseLanes reads lanes, as NAME=QUEUE or NAME=QUEUE,WEIGHT.
func parseLanes(texts []string) ([]lane, error) {
	var lanes []lane
	for _, text := range texts {
		name, rest, _ := strings.Cut(text, "=")
		l := lane{name: name, weight: 1}
		queue, weight, weighed := strings.Cut(rest, ",")
		l.queue = queue
		var err error
		if weighed {
			l.weight, err = strconv.ParseFloat(weight, 64)
		}
		if err != nil || l.name == "" || l.queue == "" || !(l.weight > 0 && l.weight <= 1000) {
			return nil, usagef("--lane %q: use NAME=QUEUE or NAME=QUEUE,WEIGHT, such as urgent=urgent-jobs,2, where the weight of --jobs is 1", text)
		}
		lanes = append(lanes, l)
	}
	return lanes, nil
}

// mostFloor is the part of the budget that all lanes together have in any case.
const mostFloor = 0.5

// quotaLanes gives each lane its weight at the gate, and a floor of its part.
func quotaLanes(lanes []lane) map[string]quota.Lane {
	sum := 1.0
	for _, l := range lanes {
		sum += l.weight
	}
	all := map[string]quota.Lane{}
	for _, l := range lanes {
		all[l.name] = quota.Lane{Weight: l.weight, Floor: math.Min(l.weight/sum, mostFloor*l.weight/(sum-1))}
	}
	return all
}

// openLanes opens the queues of lanes.
func (p *post) openLanes(lanes []lane) (all []worker.Lane, err error) {
	for _, l := range lanes {
		jobs, err := p.client.Receiver(l.queue)
		if err != nil {
			return nil, err
		}
		later, err := p.client.Sender(l.queue)
		if err != nil {
			return nil, err
		}
		p.lanes, p.warmups, p.later = append(p.lanes, l.queue), append(p.warmups, jobs.Warm), append(p.later, later)
		all = append(all, worker.Lane{Name: l.name, Jobs: jobs, Later: later, Weight: l.weight, Queue: l.queue})
	}
	return all, nil
}
