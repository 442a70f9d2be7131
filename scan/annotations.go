package scan

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"tegata/internal/message"
)

// Annotations writes the results as commands of a GitHub workflow, which shows
// them beside the lines of a change.
//
// Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
func (r *Report) Annotations(w io.Writer, l message.Lang) error {
	out := bufio.NewWriter(w)
	for _, f := range r.Results {
		property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace
		data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace
		fmt.Fprintf(out, "::%s file=%s,line=%d,col=%d,endLine=%d,endColumn=%d,title=%s::%s\n",
			f.Severity, property(f.Path), f.Start.Line, f.Start.Column, f.End.Line, f.End.Column,
			property(f.ID+" "+string(f.Confidence)), data(f.says(l)))
	}
	return out.Flush()
}

// says tells a result in one paragraph: what is wrong, what was seen, what to
// do.
func (r *Result) says(l message.Lang) string {
	parts := []string{r.Title(l)}
	if request := r.Evident("request"); request != "" {
		parts[0] += ": " + request
	}
	switch {
	case len(r.Edits) > 0:
		parts = append(parts, l.T("hint:")+" "+r.command())
	case r.Why != "":
		parts = append(parts, l.T("not rewritten")+": "+l.T(r.Why))
	}
	return strings.Join(parts, "\n")
}
