package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// A Use is one decision over a call: who may do what, as [Least] is told.
type Use struct {
	Action   string            // "bedrock:InvokeModel"
	Resource string            // an ARN, or "*" for an action without resource types
	Context  map[string]string // condition keys that the request had
	Allowed  bool
}

// A Note tells what a reader of a [Least] policy may wonder about: the action
// takes no ARN, so that its statement must have "*".
type Note struct{ Action string }

// Least returns the policy that allows what was allowed and nothing more, and
// notes on where it can't be narrower. Actions that went to the same resources
// share a statement. Without an allowed use it has no statement, which IAM
// would not take.
func Least(uses []Use) (Document, []Note) {
	resources := map[string][]string{} // by action
	for _, u := range uses {
		if u.Allowed {
			resources[u.Action] = append(resources[u.Action], u.Resource)
		}
	}
	actions := map[string][]string{} // by their resources
	var notes []Note
	for _, action := range slices.Sorted(maps.Keys(resources)) {
		same := strings.Join(narrowed(action, resources[action]), "\n")
		actions[same] = append(actions[same], action)
		if same == "*" {
			notes = append(notes, Note{action})
		}
	}
	d := Document{Version: version}
	for same, actions := range actions {
		d.Statements = append(d.Statements, Statement{Effect: effectAllow, Actions: actions, Resources: strings.Split(same, "\n")})
	}
	slices.SortFunc(d.Statements, func(a, b Statement) int { return cmp.Compare(a.Actions[0], b.Actions[0]) })
	return d, notes
}

// narrowed are the resources of a statement for an action, each once.
func narrowed(action string, resources []string) []string {
	if !TakesResource(action) || slices.Contains(resources, "*") {
		return []string{"*"}
	}
	slices.Sort(resources)
	return slices.Compact(resources)
}
