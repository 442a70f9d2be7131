package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Parse reads a policy document. It refuses what IAM refuses, unknown and
// repeated keys first of all; the error names the statement, counted from 1.
func Parse(data []byte) (Document, error) {
	d := Document{}
	keys, err := members(data)
	if err != nil {
		return Document{}, fmt.Errorf("policy: %w", err)
	}
	for _, m := range keys {
		if err := d.set(m); err != nil {
			return Document{}, fmt.Errorf("policy: %w", err)
		}
	}
	if err := d.check(); err != nil {
		return Document{}, fmt.Errorf("policy: %w", err)
	}
	return d, nil
}

// UnmarshalJSON is [Parse] for documents inside other JSON.
func (d *Document) UnmarshalJSON(data []byte) error {
	parsed, err := Parse(data)
	if err == nil {
		*d = parsed
	}
	return err
}

func (d *Document) set(m member) error {
	var err error
	switch m.key {
	case "Version":
		d.Version, err = text(m.value)
	case "Id":
		d.ID, err = text(m.value)
	case "Statement":
		d.Statements, err = statements(m.value)
		return err
	default:
		return fmt.Errorf("unknown key %q", m.key)
	}
	return within(m.key, err)
}

func (d *Document) check() error {
	switch d.Version {
	case "", versionOld, version:
	default:
		return fmt.Errorf("version %q: want %s or %s", d.Version, version, versionOld)
	}
	if len(d.Statements) == 0 {
		return errors.New("no statement")
	}
	ids := map[string]bool{}
	for i, s := range d.Statements {
		if s.SID != "" && ids[s.SID] {
			return fmt.Errorf("statement %d: Sid %q is used twice", i+1, s.SID)
		}
		ids[s.SID] = true
		if err := s.check(d.Version == version); err != nil {
			return fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return nil
}

// statements reads one statement or a list of them.
func statements(raw json.RawMessage) ([]Statement, error) {
	list := []json.RawMessage{raw}
	if isList(raw) {
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, fmt.Errorf("statement list: %w", err)
		}
	}
	var all []Statement
	for i, item := range list {
		s, err := statement(item)
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func statement(raw json.RawMessage) (Statement, error) {
	var s Statement
	keys, err := members(raw)
	if err != nil {
		return s, err
	}
	for _, m := range keys {
		if err := s.set(m); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *Statement) set(m member) error {
	var err error
	switch m.key {
	case "Sid":
		s.SID, err = text(m.value)
	case "Effect":
		s.Effect, err = text(m.value)
	case "Action":
		s.Actions, err = texts(m.value)
	case "NotAction":
		s.NotActions, err = texts(m.value)
	case "Resource":
		s.Resources, err = texts(m.value)
	case "NotResource":
		s.NotResources, err = texts(m.value)
	case "Principal":
		s.Principals, err = principals(m.value)
	case "NotPrincipal":
		s.NotPrincipals, err = principals(m.value)
	case "Condition":
		s.Conditions, err = conditions(m.value)
	default:
		return fmt.Errorf("unknown key %q", m.key)
	}
	return within(m.key, err)
}

func (s *Statement) check(variables bool) error {
	switch {
	case s.Effect == "":
		return errors.New("no Effect")
	case s.Effect != effectAllow && s.Effect != effectDeny:
		return fmt.Errorf("effect %q: want Allow or Deny", s.Effect)
	case (s.Actions == nil) == (s.NotActions == nil):
		return errors.New("want exactly one of Action and NotAction")
	case s.Resources != nil && s.NotResources != nil:
		return errors.New("both Resource and NotResource")
	case s.Principals != nil && s.NotPrincipals != nil:
		return errors.New("both Principal and NotPrincipal")
	case s.Resources == nil && s.NotResources == nil && s.Principals == nil && s.NotPrincipals == nil:
		return errors.New("no Resource")
	}
	return errors.Join(s.checkActions(), s.checkResources(variables), s.checkConditions(variables))
}

func (s *Statement) checkActions() error {
	for _, a := range slices.Concat(s.Actions, s.NotActions) {
		if service, name, ok := strings.Cut(a, ":"); a != "*" && (!ok || service == "" || name == "") {
			return fmt.Errorf(`action %q: want "*" or service:Name`, a)
		}
	}
	return nil
}

func (s *Statement) checkResources(variables bool) error {
	for _, r := range slices.Concat(s.Resources, s.NotResources) {
		if r != "*" && !strings.HasPrefix(r, "arn:") {
			return fmt.Errorf(`resource %q: want "*" or an ARN`, r)
		}
		if err := checkVariables(r, variables); err != nil {
			return fmt.Errorf("resource %q: %w", r, err)
		}
	}
	return nil
}

func (s *Statement) checkConditions(variables bool) error {
	for _, c := range s.Conditions {
		for _, v := range c.Values {
			if err := checkVariables(v, variables); err != nil {
				return fmt.Errorf("condition %s %s: %w", c.Operator, c.Key, err)
			}
		}
	}
	return nil
}

// checkVariables finds a ${ without its end, in the version that has variables.
func checkVariables(s string, variables bool) error {
	if !variables {
		return nil
	}
	for {
		_, rest, found := strings.Cut(s, "${")
		if !found {
			return nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || name == "" || strings.Contains(name, "{") {
			return errors.New("a policy variable isn't closed: want ${name}")
		}
		s = after
	}
}

// principals reads "*" or {"Service": "ec2.amazonaws.com", "AWS": […]}.
func principals(raw json.RawMessage) (map[string][]string, error) {
	if s, err := text(raw); err == nil {
		if s != "*" {
			return nil, fmt.Errorf(`%q: want "*" or an object`, s)
		}
		return map[string][]string{"*": {"*"}}, nil
	}
	kinds, err := members(raw)
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, m := range kinds {
		switch m.key {
		case "AWS", "Service", "Federated", "CanonicalUser":
		default:
			return nil, fmt.Errorf("unknown key %q", m.key)
		}
		if all[m.key], err = texts(m.value); err != nil {
			return nil, within(m.key, err)
		}
	}
	return all, nil
}

// conditions reads {operator: {key: value or values}}.
func conditions(raw json.RawMessage) ([]Condition, error) {
	operators, err := members(raw)
	if err != nil {
		return nil, err
	}
	var all []Condition
	for _, m := range operators {
		op, err := parseOperator(m.key)
		if err != nil {
			return nil, err
		}
		keys, err := members(m.value)
		if err != nil {
			return nil, within(m.key, err)
		}
		for _, k := range keys {
			values, err := scalars(k.value)
			if err == nil {
				err = op.checkValues(values)
			}
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", m.key, k.key, err)
			}
			all = append(all, Condition{Operator: m.key, Key: k.key, Values: values})
		}
	}
	return all, nil
}

func (o operator) checkValues(values []string) error {
	for _, v := range values {
		if o.valid != nil && !o.valid(v) {
			return fmt.Errorf("%q is no value for this operator", v)
		}
	}
	return nil
}

func within(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", key, err)
}
