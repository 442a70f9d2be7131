package report

import (
	"slices"
	"strings"

	"tegata/internal/message"
)

// Root returns the step whose finding is the one to show first: the first
// that failed, or the first with a warning if none failed. A step that failed
// had all that it requires, or else it would not have been run. Root returns
// nil for a healthy report.
func (r Report) Root() *Step {
	for _, status := range []Status{Failed, Warned} {
		for i, s := range r.Steps {
			if s.Status == status && s.Finding != nil {
				return &r.Steps[i]
			}
		}
	}
	return nil
}

// Findings returns the steps with a finding: the root first, then the others
// in the order of the chain. What only repeats the root is left out.
func (r Report) Findings() []Step {
	root := r.Root()
	if root == nil {
		return nil
	}
	found := []Step{*root}
	for _, s := range r.Steps {
		if s.Finding == nil || s.Name == root.Name {
			continue
		}
		if s.Finding.ID == root.Finding.ID && (s.Status == Warned || slices.Equal(s.Finding.Evidence, root.Finding.Evidence)) {
			continue
		}
		found = append(found, s)
	}
	return found
}

// Healthy reports whether nothing was found.
func (r Report) Healthy() bool { return r.Root() == nil }

// Step returns the step with the given name; its Status is "" if there is none.
func (r Report) Step(name string) Step {
	for _, s := range r.Steps {
		if s.Name == name {
			return s
		}
	}
	return Step{}
}

// Fact returns one fact of the step, or "".
func (s Step) Fact(name string) string {
	for _, f := range s.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Told returns the facts of the step that people are told, in one line.
func (s Step) Told(l message.Lang) string {
	var all []string
	for _, f := range s.Facts {
		if f.Phrase != "" {
			all = append(all, f.told(l))
		}
	}
	return strings.Join(all, l.T(", "))
}

func (f Field) told(l message.Lang) string {
	if !strings.Contains(f.Phrase, "%s") {
		return l.T(f.Phrase)
	}
	return l.T(f.Phrase, l.T(f.Value))
}

// fields returns what the texts of a finding are filled with: its evidence,
// in the words of the language.
func (f Finding) fields(l message.Lang) map[string]string {
	all := map[string]string{}
	for _, e := range f.Evidence {
		all[e.Name] = l.T(e.Value)
	}
	return all
}

// plain are the characters that no shell gives a meaning to.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@+=,*-"

// typable returns the evidence that may stand in a command which a person
// copies into a shell. It came over the wire, so whatever a shell could read
// as more than a word is left out, and shows as <name>.
func (f Finding) typable() map[string]string {
	all := map[string]string{}
	for _, e := range f.Evidence {
		if strings.Trim(e.Value, plain) == "" {
			all[e.Name] = e.Value
		}
	}
	return all
}

// Words is a finding in one language, with everything filled in. What the
// report does not know stands as <name>.
type Words struct {
	ID, Title, Cause, Remedy, Command string
	Severity                          message.Severity
	Where                             message.Where
	Similar                           []string
}

// Words returns what the catalogue says to the finding of the step. How bad
// it was here decides the severity: the same fault may stop one machine and
// only threaten another.
func (s Step) Words(l message.Lang) Words {
	m, _ := message.Lookup(s.Finding.ID)
	fields := s.Finding.fields(l)
	w := Words{
		ID: s.Finding.ID, Severity: message.Error, Where: m.Where, Similar: m.Similar,
		Title: m.Title.Fill(l, fields), Cause: m.Cause.Fill(l, fields), Remedy: m.Remedy.Fill(l, fields),
		Command: message.Fill(m.Command, s.Finding.typable()),
	}
	if s.Status == Warned {
		w.Severity = message.Warning
	}
	return w
}
