package policy

import "encoding/json"

// MarshalJSON writes the document as IAM shows it, a list of one as the text
// in it. [Parse] reads it back.
func (d Document) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Version    string      `json:",omitempty"`
		ID         string      `json:"Id,omitempty"`
		Statements []Statement `json:"Statement"`
	}{d.Version, d.ID, d.Statements})
}

// MarshalJSON writes the statement as IAM shows it.
func (s Statement) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		SID           string                       `json:"Sid,omitempty"`
		Effect        string                       `json:"Effect"`
		Principals    who                          `json:"Principal,omitzero"`
		NotPrincipals who                          `json:"NotPrincipal,omitzero"`
		Actions       values                       `json:"Action,omitempty"`
		NotActions    values                       `json:"NotAction,omitempty"`
		Resources     values                       `json:"Resource,omitempty"`
		NotResources  values                       `json:"NotResource,omitempty"`
		Conditions    map[string]map[string]values `json:"Condition,omitempty"`
	}{s.SID, s.Effect, s.Principals, s.NotPrincipals, s.Actions, s.NotActions, s.Resources, s.NotResources, byOperator(s.Conditions)})
}

// values are written as one text where there is one.
type values []string

func (v values) MarshalJSON() ([]byte, error) {
	if len(v) == 1 {
		return json.Marshal(v[0])
	}
	return json.Marshal([]string(v))
}

// who is a principal: everybody, or values by their kind.
type who map[string][]string

func (w who) MarshalJSON() ([]byte, error) {
	if _, ok := w["*"]; ok {
		return json.Marshal("*")
	}
	kinds := map[string]values{}
	for kind, of := range w {
		kinds[kind] = of
	}
	return json.Marshal(kinds)
}

func byOperator(conditions []Condition) map[string]map[string]values {
	all := map[string]map[string]values{}
	for _, c := range conditions {
		if all[c.Operator] == nil {
			all[c.Operator] = map[string]values{}
		}
		all[c.Operator][c.Key] = c.Values
	}
	return all
}
