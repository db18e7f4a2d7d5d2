package admin

import (
	"github.com/signmill/signmill/queue/localbus/internal/broker"
	"github.com/signmill/signmill/queue/localbus/internal/token"
)

// ruleList holds the shared access rules of a queue. It is what this package
// attaches to the properties of queues.
type ruleList struct {
	Rules []authorizationRule `xml:"AuthorizationRule"`
}

// authorizationRule is a shared access rule with two keys.
type authorizationRule struct {
	Type         string   `xml:"i:type,attr"`
	ClaimType    string   `xml:"ClaimType"`
	ClaimValue   string   `xml:"ClaimValue"`
	Rights       []string `xml:"Rights>AccessRights"`
	CreatedTime  *string  `xml:"CreatedTime"`
	ModifiedTime *string  `xml:"ModifiedTime"`
	KeyName      string   `xml:"KeyName"`
	PrimaryKey   *string  `xml:"PrimaryKey"`
	SecondaryKey *string  `xml:"SecondaryKey"`
}

const (
	maxRules = 12  // rules of one queue, as the service allows
	maxKey   = 256 // characters of a name or a key
)

// rights are the names of rights in XML.
var rights = map[string]token.Rights{"Send": token.Send, "Listen": token.Listen, "Manage": token.All}

// rules checks the rules of a description.
func (r *reading) rules(l *ruleList) {
	if l == nil {
		return
	}
	if len(l.Rules) > maxRules {
		r.fault("AuthorizationRules has %d rules, limit %d", len(l.Rules), maxRules)
	}
	for _, rule := range l.Rules {
		if rule.KeyName == "" || max(len(rule.KeyName), len(value(rule.PrimaryKey)), len(value(rule.SecondaryKey))) > maxKey {
			r.fault("AuthorizationRule %.40q: name and keys have to have 1 to %d characters", rule.KeyName, maxKey)
		}
		for _, name := range rule.Rights {
			if rights[name] == 0 {
				r.fault("AuthorizationRule %.40q: right %.40q is none of Send, Listen and Manage", rule.KeyName, name)
			}
		}
	}
}

// rulesOf returns the rules of a queue in the form that is sent, never nil.
func rulesOf(p broker.Properties) *ruleList {
	sent := &ruleList{}
	if l, ok := p.Attachment.(*ruleList); ok && l != nil {
		for _, rule := range l.Rules {
			rule.Type, rule.ClaimType, rule.ClaimValue = "SharedAccessAuthorizationRule", "SharedAccessKey", "None"
			sent.Rules = append(sent.Rules, rule)
		}
	}
	return sent
}

// Rules returns the shared access rules of a name that clients have given to
// queues: two for each, one for each key.
func Rules(b *broker.Broker, name string) []token.Rule {
	var found []token.Rule
	for _, d := range b.List() {
		for _, rule := range rulesOf(d.Properties).Rules {
			if rule.KeyName != name {
				continue
			}
			r := token.Rule{Name: name, Scope: d.Name}
			for _, right := range rule.Rights {
				r.Rights |= rights[right]
			}
			for _, key := range []*string{rule.PrimaryKey, rule.SecondaryKey} {
				r.Key = value(key)
				found = append(found, r)
			}
		}
	}
	return found
}
