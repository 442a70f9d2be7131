package scan

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"tegata/internal/message"
	"tegata/internal/report"
)

// Text writes the report for people: each result under its place, with the
// line that it is on.
func (r *Report) Text(w io.Writer, l message.Lang) error {
	out := bufio.NewWriter(w)
	for _, f := range r.Results {
		f.text(out, l)
	}
	fmt.Fprintln(out, r.summary(l))
	return out.Flush()
}

func (r *Result) text(out io.Writer, l message.Lang) {
	fmt.Fprintf(out, "%s:%d:%d: %s %s %s: %s\n",
		report.Printable(r.Path), r.Start.Line, r.Start.Column, r.ID, l.T(string(r.Severity)), l.T(string(r.Confidence)), report.Printable(r.Title(l)))
	source, caret := r.underlined()
	fmt.Fprintf(out, "    %s\n    %s\n", source, caret)
	for _, f := range r.Evidence {
		fmt.Fprintf(out, "  %s: %s\n", l.T(strings.ReplaceAll(f.Name, "_", " ")), report.Printable(l.T(f.Value)))
	}
	if len(r.Origin) > 0 {
		fmt.Fprintf(out, "  %s: %s\n", l.T("within"), report.Printable(strings.Join(r.Origin, " > ")))
	}
	switch {
	case len(r.Edits) > 0:
		fmt.Fprintf(out, "  %s %s\n", l.T("hint:"), report.Printable(r.command()))
	case r.Why != "":
		fmt.Fprintf(out, "  %s: %s\n", l.T("not rewritten"), report.Printable(l.T(r.Why)))
	}
	fmt.Fprintln(out)
}

// command is what shows the change of the result's file. The path is quoted for
// a shell where it has to be.
func (r *Result) command() string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@+=,-"
	name := r.Path
	if strings.HasPrefix(name, "-") {
		name = "./" + name
	}
	if strings.Trim(name, plain) != "" {
		name = "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return "tegata scan --diff " + name
}

// Of a long line, so many characters are shown before a result and behind its
// beginning.
const (
	shownBefore = 60
	shownAfter  = 100
)

// underlined returns the part of the line that the result is on, and a second
// line that marks it.
func (r *Result) underlined() (source, caret string) {
	line := []rune(strings.ReplaceAll(r.Source, "\t", " "))
	start := min(r.Start.Column-1, len(line))
	end := len(line)
	if r.End.Line == r.Start.Line {
		end = min(max(r.End.Column-1, start), len(line))
	}
	from, to := 0, min(len(line), start+shownAfter)
	for from < start && line[from] == ' ' {
		from++
	}
	dots := ""
	if start-from > shownBefore {
		from, dots = start-shownBefore, "…"
	}
	before := dots + report.Printable(string(line[from:start]))
	marked := report.Printable(string(line[start:min(end, to)]))
	after := strings.TrimRight(report.Printable(string(line[start:to])), " ")
	if to < len(line) {
		after += "…"
	}
	return before + after,
		strings.Repeat(" ", report.Columns(before)) + "^" + strings.Repeat("~", max(0, report.Columns(marked)-1))
}

// summary says in one line what was found.
func (r *Report) summary(l message.Lang) string {
	if len(r.Results) == 0 {
		return l.T("nothing found in %d files", r.Files)
	}
	files, mendable := map[string]bool{}, 0
	for _, f := range r.Results {
		files[f.Path] = true
		if len(f.Edits) > 0 {
			mendable++
		}
	}
	return l.T("%d found in %d of %d files; %d of them can be rewritten", len(r.Results), len(files), r.Files, mendable)
}

// Diff writes the changes as a patch for git apply and patch -p1, which are to
// be run where the scan was.
func (r *Report) Diff(w io.Writer) error {
	for _, c := range r.Changes {
		if _, err := io.WriteString(w, c.Diff()); err != nil {
			return err
		}
	}
	return nil
}
