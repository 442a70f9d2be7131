package sandbox

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"tegata/internal/fault"
)

// Switch makes the instance, while it runs, behave as its scenario with these
// faults on top and no others; with none it is again as it was started.
// Credentials that were handed out before stay what they were, as on EC2, and
// calls that are being answered end as they began. After an error nothing has
// changed.
func (b *Sandbox) Switch(faults ...string) error {
	b.switching.Lock()
	defer b.switching.Unlock()
	s := b.started
	for _, name := range faults {
		if err := s.switchOn(name); err != nil {
			return err
		}
	}
	replies, err := b.repliesOf(s)
	if err == nil {
		err = b.behave(s, replies)
	}
	if err != nil {
		return fmt.Errorf("switch the faults of the instance: %w", err)
	}
	b.faults = slices.Clone(faults)
	return nil
}

// repliesOf lets the rules of the scenario count on where no fault adds any.
func (b *Sandbox) repliesOf(s Scenario) (*fault.Set, error) {
	if len(s.Replies) == len(b.started.Replies) { // faults only put theirs before them
		return b.replies, nil
	}
	return fault.New(s.Replies)
}

// Faults returns the names of the faults that [Sandbox.Switch] has put on.
func (b *Sandbox) Faults() []string {
	b.switching.Lock()
	defer b.switching.Unlock()
	return slices.Clone(b.faults)
}

// Switchable returns the faults that [Sandbox.Switch] takes, sorted by name:
// those that lie in what is met on the wire, not in what the command found
// when it started.
func Switchable() []Fault { return slices.Clone(switchable()) }

var switchable = sync.OnceValue(func() (all []Fault) {
	for _, f := range Faults() {
		s := Default()
		if s.switchOn(f.Name) == nil {
			all = append(all, f)
		}
	}
	return all
})

var errNotLive = errors.New("it lies in what the command finds when it starts, not in what it meets")

// switchOn applies a fault, unless it changes more than a running instance
// can.
func (s *Scenario) switchOn(name string) error {
	broken := *s
	if err := broken.Apply(name); err != nil {
		return err
	}
	if !broken.staysWhatItWas(*s) {
		return fmt.Errorf("switch the fault %q: %w", name, errNotLive)
	}
	*s = broken
	return nil
}

// staysWhatItWas reports whether s differs from before only in what can
// change while the instance runs.
func (s Scenario) staysWhatItWas(before Scenario) bool {
	s.IMDS.Tokens, s.IMDS.Endpoint = before.IMDS.Tokens, before.IMDS.Endpoint
	s.IMDS.HopLimit, s.IMDS.Hops, s.IMDS.Bridged = before.IMDS.HopLimit, before.IMDS.Hops, before.IMDS.Bridged
	s.IMDS.Tags, s.IMDS.Throttle = before.IMDS.Tags, before.IMDS.Throttle
	s.Events = before.Events
	s.Role, s.IAM = before.Role, before.IAM
	s.Bedrock = before.Bedrock
	s.Parameters = before.Parameters
	s.Delays = before.Delays
	s.ClockSkew = before.ClockSkew
	s.Replies = before.Replies
	return reflect.DeepEqual(s, before)
}
