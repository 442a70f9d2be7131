package policy

import (
	_ "embed"
	"strings"
)

// withoutResource lists the actions that have no resource types: a service,
// then names or patterns of its actions. Embedded text costs nothing until it
// is asked.
//
//go:embed actions.txt
var withoutResource string

// TakesResource reports whether an action has resource types, so that a
// statement can narrow it to ARNs. An action without them is evaluated on the
// resource "*", and a statement that names ARNs never matches it. An action
// that the table of AWS's reference does not have is taken to have them.
func TakesResource(action string) bool {
	service, name, _ := strings.Cut(strings.ToLower(action), ":")
	takes := true
	for line := range strings.Lines(withoutResource) {
		of, names, _ := strings.Cut(line, " ")
		if of != service {
			continue
		}
		for pattern := range strings.FieldsSeq(strings.ToLower(names)) {
			pattern, exception := strings.CutPrefix(pattern, "!")
			if !newGlob(pattern).match(name) {
				continue
			}
			if exception {
				return true
			}
			takes = false
		}
	}
	return takes
}
