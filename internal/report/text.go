package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"tegata/internal/message"
)

// Text writes the report for people. A healthy one is a short list; otherwise
// the root cause stands first, and the first id in the text is its id.
func (r Report) Text(w io.Writer, l message.Lang) error { return r.write(w, l, false) }

// ColorText writes what [Report.Text] writes, with colours for a terminal.
// They add no meaning.
func (r Report) ColorText(w io.Writer, l message.Lang) error { return r.write(w, l, true) }

func (r Report) write(out io.Writer, l message.Lang, color bool) error {
	t := text{Writer: bufio.NewWriter(out), lang: l, color: color}
	for i, s := range r.Findings() {
		switch {
		case i == 1:
			t.heading("also found")
		case i > 1:
			t.line("")
		}
		t.finding(s)
	}
	if r.Healthy() {
		t.line("%s", t.paint(green, l.T("every link that was looked at is in order (%s)", short(r.Elapsed))))
	}
	t.passed(r)
	t.notKnown(r)
	return t.Flush()
}

// A text is a report being written. Errors wait in the bufio.Writer.
type text struct {
	*bufio.Writer
	lang  message.Lang
	color bool
}

const (
	green  = "32"
	yellow = "33"
	red    = "31"
	bold   = "1"
)

func (t text) paint(code, s string) string {
	if !t.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t text) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

func (t text) heading(phrase string) { t.line("\n%s", t.paint(bold, t.lang.T(phrase))) }

func (t text) finding(s Step) {
	w := s.Words(t.lang)
	t.title(w)
	t.block(t.lang.T("cause"), Wrap(Printable(w.Cause), Width-4))
	t.line("  %s", t.lang.T("evidence"))
	t.evidence(s.Finding.Evidence)
	t.block(t.lang.T("what to do"), Wrap(Printable(w.Remedy), Width-4))
	if w.Command != "" { // on one line, so that it can be copied
		t.block(w.Where.In(t.lang), []string{Printable(w.Command)})
	}
	if len(w.Similar) > 0 {
		t.line("  %s: %s", t.lang.T("looks similar, but is told apart"), strings.Join(w.Similar, " "))
	}
}

// title writes what is wrong; its second line, if there is one, stands under
// the first.
func (t text) title(w Words) {
	color := red
	if w.Severity == message.Warning {
		color = yellow
	}
	head := fmt.Sprintf("%s %s:", w.ID, t.lang.T(string(w.Severity)))
	lines := Wrap(Printable(w.Title), Width-Columns(head)-1)
	t.line("%s %s", t.paint(color, head), t.paint(bold, lines[0]))
	for _, l := range lines[1:] {
		t.line("%s %s", pad("", Columns(head)), t.paint(bold, l))
	}
}

func (t text) block(heading string, lines []string) {
	t.line("  %s", heading)
	for _, l := range lines {
		t.line("    %s", l)
	}
}

func (t text) evidence(fields []Field) {
	var names []string
	for _, f := range fields {
		names = append(names, t.lang.T(strings.ReplaceAll(f.Name, "_", " ")))
	}
	n := widest(names)
	for i, f := range fields {
		for j, l := range Wrap(Printable(t.lang.T(f.Value)), Width-n-6) {
			if j > 0 {
				names[i] = ""
			}
			t.line("    %s  %s", pad(names[i], n), l)
		}
	}
}

func widest(all []string) int {
	n := 0
	for _, s := range all {
		n = max(n, Columns(s))
	}
	return n
}

// passed writes a table of what is in order. Values stand last, where a long
// one breaks nothing.
func (t text) passed(r Report) {
	var titles []string
	var steps []Step
	for _, s := range r.Steps {
		if s.Status == Passed {
			titles, steps = append(titles, s.Title.Fill(t.lang, nil)), append(steps, s)
		}
	}
	if len(steps) > 0 && !r.Healthy() {
		t.heading("in order")
	}
	n := widest(titles)
	for i, s := range steps {
		t.line("  %s %s  %s%s", t.paint(green, "✓"), pad(titles[i], n), Printable(s.Told(t.lang)), slow(s.Elapsed))
	}
}

// slow tells how long a step took where that is worth a thought.
func slow(d time.Duration) string {
	if d < time.Second/2 {
		return ""
	}
	return " (" + short(d) + ")"
}

// notKnown says what could not be looked at, and why: each reason once.
func (t text) notKnown(r Report) {
	var reasons []Step // each stands for all with its reason
	titles := map[string][]string{}
	for _, s := range r.Steps {
		if s.Status != NotRun {
			continue
		}
		why := t.why(s)
		if titles[why] == nil {
			reasons = append(reasons, s)
		}
		titles[why] = append(titles[why], s.Title.Fill(t.lang, nil))
	}
	if len(reasons) > 0 {
		t.heading("not looked at")
	}
	for _, s := range reasons {
		why := t.why(s)
		all := strings.Join(titles[why], t.lang.T(", "))
		if s.Because != "" {
			why, all = all, why // the reason first: what it names has been read above
		}
		t.line("  - %s", strings.Join(Wrap(all+": "+why, Width-4), "\n    "))
	}
}

// why returns the reason for which a step was not run.
func (t text) why(s Step) string {
	switch told := s.Told(t.lang); {
	case s.Because != "":
		return t.lang.T("not run because of %s", s.Because)
	case told != "":
		return Printable(told)
	}
	return t.lang.T("not needed here")
}

func short(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
