package cli

import (
	"flag"
	"fmt"
	"text/tabwriter"

	"tegata/internal/message"
	"tegata/sandbox"
)

// A faultList is what was asked of the list of faults on the command line.
type faultList struct {
	wanted bool
	spoil  bool
	output *choice
}

func (l *faultList) flags(fs *flag.FlagSet) {
	l.output = oneOf("text", "json")
	fs.BoolVar(&l.wanted, "list-faults", false, "")
	fs.BoolVar(&l.spoil, "spoil", false, "")
	fs.Var(l.output, "o", "")
}

// check reports flags that go with the list alone, or not with it.
func (l *faultList) check(fs *flag.FlagSet) error {
	switch {
	case l.wanted && fs.NArg() > 0:
		return usagef("--list-faults runs no command")
	case !l.wanted && (l.spoil || l.output.value != "text"):
		return usagef("--spoil and -o are for --list-faults")
	}
	return nil
}

// print tells what --fault takes. What a fault comes to is told only to those
// who want to know before they have looked.
func (l *faultList) print(s *session) error {
	all := sandbox.Faults()
	if l.output.value == "json" {
		return s.printJSON(s.faultObjects(all, l.spoil))
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	for _, f := range all {
		fmt.Fprintf(w, "%s\t%s\n", f.Name, f.Title.Fill(s.lang, nil))
		if l.spoil {
			fmt.Fprintf(w, "\t  %s\n", s.spoiler(f.Finding))
		}
	}
	return w.Flush()
}

// spoiler is the id of a finding, and its title if doctor has one for it.
func (s *session) spoiler(id string) string {
	if m, ok := message.Lookup(id); ok {
		return id + " " + m.Title.Fill(s.lang, nil)
	}
	return id
}

// A faultObject is a fault as JSON.
type faultObject struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Finding string `json:"finding,omitempty"`
}

func (s *session) faultObjects(all []sandbox.Fault, spoil bool) []faultObject {
	objects := make([]faultObject, len(all))
	for i, f := range all {
		objects[i] = faultObject{Name: f.Name, Title: f.Title.Fill(s.lang, nil)}
		if spoil {
			objects[i].Finding = f.Finding
		}
	}
	return objects
}
