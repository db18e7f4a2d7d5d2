package localvault

import (
	"fmt"
	"slices"
	"strings"
)

// rotationPolicy says how long new versions live and what happens before their
// end.
type rotationPolicy struct {
	ID         string           `json:"id,omitempty"` // set in answers
	Actions    []lifetimeAction `json:"lifetimeActions"`
	Attributes policyAttributes `json:"attributes"`
}

// policyAttributes has times in Unix seconds.
type policyAttributes struct {
	Expiry  string `json:"expiryTime,omitempty"` // a period; empty: new versions do not expire
	Created int64  `json:"created,omitempty"`
	Updated int64  `json:"updated,omitempty"`
}

type lifetimeAction struct {
	Trigger trigger    `json:"trigger"`
	Action  actionType `json:"action"`
}

// trigger has one period and no other.
type trigger struct {
	AfterCreate  string `json:"timeAfterCreate,omitempty"`
	BeforeExpiry string `json:"timeBeforeExpiry,omitempty"`
}

type actionType struct {
	Type string `json:"type"`
}

// notify is what a policy does that does not say otherwise.
var notify = lifetimeAction{trigger{BeforeExpiry: "P30D"}, actionType{"Notify"}}

const (
	minExpiry  = 28 * day
	minTrigger = 7 * day // from the creation and to the expiry
)

// expiry returns how long a new version lives; zero: for ever.
func (p *rotationPolicy) expiry() period {
	if p == nil {
		return 0
	}
	life, err := parsePeriod(p.Attributes.Expiry)
	if err != nil { // also when there is none
		return 0
	}
	return life
}

// getPolicy answers with a key's policy, or with the one that every key has.
func (s *Server) getPolicy(c *call) (any, error) {
	key, err := s.keys.snapshot(c.name)
	if err != nil {
		return nil, err
	}
	if key.policy == nil {
		created := key.versions[0].attributes.Created
		key.policy = &rotationPolicy{Actions: []lifetimeAction{notify}, Attributes: policyAttributes{Created: created, Updated: created}}
	}
	return c.policy(key.policy), nil
}

// putPolicy replaces a key's policy.
func (s *Server) putPolicy(c *call) (any, error) {
	var req rotationPolicy
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := req.settle(); err != nil {
		return nil, err
	}
	now := s.clock.Now().Unix()
	req.Attributes.Created, req.Attributes.Updated = now, now
	set, err := s.keys.setPolicy(c.name, func(before *rotationPolicy) *rotationPolicy {
		if before != nil {
			req.Attributes.Created = before.Attributes.Created
		}
		return &req
	})
	if err != nil {
		return nil, err
	}
	return c.policy(set), nil
}

// policy returns a copy with an id.
func (c *call) policy(p *rotationPolicy) rotationPolicy {
	answer := *p
	answer.ID = c.base + "/keys/" + c.held.name + "/rotationpolicy"
	return answer
}

// settle checks a policy, writes its action types as the service does, and adds
// the notification where there is none.
func (p *rotationPolicy) settle() error {
	var life period
	if p.Attributes.Expiry != "" {
		var err error
		if life, err = parsePeriod(p.Attributes.Expiry); err != nil {
			return badParameter("expiryTime", err.Error())
		}
		if life < minExpiry {
			return badParameter("expiryTime", fmt.Sprintf("%s; at least 28 days are needed", p.Attributes.Expiry))
		}
	}
	p.Actions = slices.Clone(p.Actions)
	seen := map[string]bool{}
	for i := range p.Actions {
		a := &p.Actions[i]
		if err := a.settle(life); err != nil {
			return err
		}
		if seen[a.Action.Type] {
			return badParameter("lifetimeActions", "more than one action of type "+a.Action.Type)
		}
		seen[a.Action.Type] = true
	}
	if !seen["Notify"] {
		p.Actions = append(p.Actions, notify)
	}
	return nil
}

// settle checks an action for versions that live so long; zero: for ever.
func (a *lifetimeAction) settle(life period) error {
	switch strings.ToLower(a.Action.Type) {
	case "rotate":
		a.Action.Type = "Rotate"
	case "notify":
		a.Action.Type = "Notify"
	default:
		return badParameter("lifetimeActions", fmt.Sprintf("action type %q; Rotate and Notify are known", a.Action.Type))
	}
	text := a.Trigger.AfterCreate + a.Trigger.BeforeExpiry
	if text == "" || a.Trigger.AfterCreate != "" && a.Trigger.BeforeExpiry != "" {
		return badParameter("trigger", "either timeAfterCreate or timeBeforeExpiry is needed")
	}
	if a.Action.Type == "Notify" && a.Trigger.BeforeExpiry == "" {
		return badParameter("trigger", "Notify needs timeBeforeExpiry")
	}
	at, err := parsePeriod(text)
	if err != nil {
		return badParameter("trigger", err.Error())
	}
	rotates := a.Action.Type == "Rotate" // who does not rotate may be notified of nothing
	if rotates && a.Trigger.BeforeExpiry != "" && life == 0 {
		return badParameter("trigger", "timeBeforeExpiry needs an expiryTime")
	}
	if at < minTrigger || rotates && life != 0 && life-at < minTrigger {
		return badParameter("trigger", text+"; at least 7 days from the creation and 7 days to the expiry are needed")
	}
	return nil
}
