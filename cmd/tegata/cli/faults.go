package cli

import (
	"fmt"
	"text/tabwriter"

	"tegata/sandbox"
)

// listFaults prints what --fault takes. What a true diagnosis of each comes to
// is told only to those who don't want to find out.
func (s *session) listFaults(spoil bool, args []string) error {
	if len(args) > 0 {
		return hintf(usagef("--list-faults runs no command"), "try one of the faults: tegata sandbox --fault NAME -- COMMAND")
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	for _, f := range sandbox.Faults() {
		fmt.Fprint(w, f.Name, "\t")
		if spoil {
			fmt.Fprint(w, f.Finding, "\t")
		}
		fmt.Fprintln(w, f.Title.Fill(s.lang, nil))
	}
	return w.Flush()
}
