package keyvault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// RotationPolicy says when the vault makes new versions of a key by itself.
// The zero value is a policy that does nothing.
type RotationPolicy struct {
	ExpiresAfter       Period // life of each new version, at least P28D; "": no end
	RotateAfterCreate  Period // "": not by age; excludes the next one
	RotateBeforeExpiry Period // "": not by expiry; needs ExpiresAfter
	NotifyBeforeExpiry Period // when to raise the near-expiry event; "": the vault's choice

	ID      string    // set by the vault
	Created time.Time // set by the vault; zero when there is none yet
	Updated time.Time // set by the vault; zero when there is none yet
}

// Check returns one error that lists what cannot be right whatever the vault
// says, or nil.
func (p RotationPolicy) Check() error {
	var faults []error
	for _, period := range []Period{p.ExpiresAfter, p.RotateAfterCreate, p.RotateBeforeExpiry, p.NotifyBeforeExpiry} {
		faults = append(faults, period.Check())
	}
	if p.RotateAfterCreate != "" && p.RotateBeforeExpiry != "" {
		faults = append(faults, errors.New("a key is rotated either so long after its creation or so long before its expiry, not both"))
	}
	if p.ExpiresAfter == "" && (p.RotateBeforeExpiry != "" || p.NotifyBeforeExpiry != "") {
		faults = append(faults, errors.New("versions that never expire have no time before their expiry: set when they expire"))
	}
	return errors.Join(faults...)
}

// Rotate makes a new version of a key, with the type and size of the one
// before, and what its rotation policy says about expiry. It needs the
// permission keys/rotate/action. When the answer is lost, Rotate does not
// repeat itself but fails with CodeUnavailable: the version may be there.
func (v *Vault) Rotate(ctx context.Context, name string) (KeyInfo, error) {
	id, err := v.key(name, "")
	if err != nil {
		return KeyInfo{}, err
	}
	defer v.client.keys.forget(id)
	return v.version(ctx, "rotate", id, v.askOnce, func(ctx context.Context) (azkeys.KeyBundle, error) {
		answer, err := v.sdk.RotateKey(ctx, id.name, nil)
		return answer.KeyBundle, err
	})
}

// RotationPolicy returns the policy of a key. A key that never had one has
// the vault's default.
func (v *Vault) RotationPolicy(ctx context.Context, name string) (RotationPolicy, error) {
	return v.policy(ctx, "get the rotation policy of", name, func(ctx context.Context) (azkeys.KeyRotationPolicy, error) {
		answer, err := v.sdk.GetKeyRotationPolicy(ctx, name, nil)
		return answer.KeyRotationPolicy, err
	})
}

// SetRotationPolicy replaces the policy of a key and returns it as the vault
// has it now. ID, Created and Updated are not sent.
func (v *Vault) SetRotationPolicy(ctx context.Context, name string, policy RotationPolicy) (RotationPolicy, error) {
	if err := policy.Check(); err != nil {
		return RotationPolicy{}, invalid("rotation policy: %v", err)
	}
	return v.policy(ctx, "set the rotation policy of", name, func(ctx context.Context) (azkeys.KeyRotationPolicy, error) {
		answer, err := v.sdk.UpdateKeyRotationPolicy(ctx, name, policy.sdk(), nil)
		return answer.KeyRotationPolicy, err
	})
}

// policy carries out an operation whose answer is a rotation policy.
func (v *Vault) policy(ctx context.Context, what, name string, call func(context.Context) (azkeys.KeyRotationPolicy, error)) (RotationPolicy, error) {
	id, err := v.key(name, "")
	if err != nil {
		return RotationPolicy{}, err
	}
	var answer azkeys.KeyRotationPolicy
	err = v.ask(ctx, what, id, func(ctx context.Context) (err error) {
		answer, err = call(ctx)
		return err
	})
	if err != nil {
		return RotationPolicy{}, err
	}
	return readRotation(answer), nil
}

// readRotation reads a policy. Actions that are not known here are left out.
func readRotation(answer azkeys.KeyRotationPolicy) RotationPolicy {
	p := RotationPolicy{ID: clip(value(answer.ID), 300)}
	if a := answer.Attributes; a != nil {
		p.ExpiresAfter = period(a.ExpiryTime)
		p.Created, p.Updated = value(a.Created), value(a.Updated)
	}
	for _, action := range answer.LifetimeActions {
		if action == nil || action.Action == nil || action.Trigger == nil {
			continue
		}
		switch kind := string(value(action.Action.Type)); {
		case strings.EqualFold(kind, string(azkeys.KeyRotationPolicyActionRotate)):
			p.RotateAfterCreate, p.RotateBeforeExpiry = period(action.Trigger.TimeAfterCreate), period(action.Trigger.TimeBeforeExpiry)
		case strings.EqualFold(kind, string(azkeys.KeyRotationPolicyActionNotify)):
			p.NotifyBeforeExpiry = period(action.Trigger.TimeBeforeExpiry)
		}
	}
	return p
}

func period(text *string) Period { return Period(clip(value(text), 40)) }

func (p RotationPolicy) sdk() azkeys.KeyRotationPolicy {
	policy := azkeys.KeyRotationPolicy{Attributes: &azkeys.KeyRotationPolicyAttributes{}, LifetimeActions: []*azkeys.LifetimeAction{}}
	if p.ExpiresAfter != "" {
		policy.Attributes.ExpiryTime = new(string(p.ExpiresAfter))
	}
	add := func(kind azkeys.KeyRotationPolicyAction, trigger azkeys.LifetimeActionTrigger) {
		policy.LifetimeActions = append(policy.LifetimeActions, &azkeys.LifetimeAction{
			Action: &azkeys.LifetimeActionType{Type: &kind}, Trigger: &trigger,
		})
	}
	switch {
	case p.RotateAfterCreate != "":
		add(azkeys.KeyRotationPolicyActionRotate, azkeys.LifetimeActionTrigger{TimeAfterCreate: new(string(p.RotateAfterCreate))})
	case p.RotateBeforeExpiry != "":
		add(azkeys.KeyRotationPolicyActionRotate, azkeys.LifetimeActionTrigger{TimeBeforeExpiry: new(string(p.RotateBeforeExpiry))})
	}
	if p.NotifyBeforeExpiry != "" {
		add(azkeys.KeyRotationPolicyActionNotify, azkeys.LifetimeActionTrigger{TimeBeforeExpiry: new(string(p.NotifyBeforeExpiry))})
	}
	return policy
}

// String tells the policy in words.
func (p RotationPolicy) String() string {
	var words []string
	for _, part := range []struct {
		text   string
		period Period
	}{
		{"versions expire after %s", p.ExpiresAfter}, {"rotated %s after creation", p.RotateAfterCreate},
		{"rotated %s before expiry", p.RotateBeforeExpiry}, {"event %s before expiry", p.NotifyBeforeExpiry},
	} {
		if part.period != "" {
			words = append(words, fmt.Sprintf(part.text, part.period))
		}
	}
	if len(words) == 0 {
		return "nothing happens by itself"
	}
	return strings.Join(words, ", ")
}
