package sandbox

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"tegata/internal/message"
)

// A Fault is a well-known way in which the chain breaks, as an overlay over a
// scenario.
type Fault struct {
	Name    string       // as --fault takes it
	Finding string       // id of the message that a true diagnosis comes to
	Title   message.Text // one line
	Demo    bool         // whether it is one of the few that a page offers to break
}

// A fault file is a scenario file with three keys more.
type faultFile struct {
	*Scenario
	Finding string       `yaml:"finding"`
	Title   message.Text `yaml:"title"`
	Demo    bool         `yaml:"demo"`
}

//go:embed faults/*.yaml
var faultFiles embed.FS

// Faults returns all faults, sorted by name.
func Faults() []Fault {
	var all []Fault
	for _, name := range faultNames() {
		s := Default()
		f, err := s.apply(name)
		if err != nil {
			panic(fmt.Sprintf("embedded fault: %v", err))
		}
		all = append(all, f)
	}
	return all
}

// Apply breaks the scenario in the way that the fault describes. After an
// error the scenario is as before.
func (s *Scenario) Apply(fault string) error {
	broken := *s
	if _, err := broken.apply(fault); err != nil {
		return err
	}
	*s = broken
	return nil
}

func (s *Scenario) apply(name string) (Fault, error) {
	data, err := faultFiles.ReadFile(path.Join("faults", name+".yaml"))
	if err != nil {
		return Fault{}, fmt.Errorf("unknown fault %q%s", name, didYouMean(name, faultNames()))
	}
	f := faultFile{Scenario: s}
	if err := s.read(name+".yaml", data, &f); err != nil {
		return Fault{}, fmt.Errorf("apply the fault: %w", err)
	}
	return Fault{Name: name, Finding: f.Finding, Title: f.Title, Demo: f.Demo}, nil
}

func faultNames() []string {
	files, err := fs.Glob(faultFiles, "faults/*.yaml")
	if err != nil {
		panic(err) // the pattern is constant
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".yaml")
	}
	slices.Sort(files) // by the names, not by those of the files
	return files
}
