package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

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
		if i == 1 {
			t.heading(l.T("also found"))
		}
		t.finding(s)
	}
	if r.Healthy() {
		t.line("%s", t.paint(green, l.T("every link that was looked at is in order (%s)", short(r.Elapsed))))
	} else {
		t.heading(l.T("in order"))
	}
	for _, s := range r.Steps {
		if s.Status == Passed {
			t.passed(s)
		}
	}
	t.notRun(r)
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

func (t text) heading(s string) { t.line("\n%s", t.paint(bold, s)) }

func (t text) finding(s Step) {
	w := s.Words(t.lang)
	color := red
	if w.Severity == message.Warning {
		color = yellow
	}
	t.line("%s %s: %s", t.paint(color, w.ID), t.paint(color, t.lang.T(string(w.Severity))), t.paint(bold, Printable(w.Title)))
	t.block(t.lang.T("cause"), w.Cause)
	t.line("  %s", t.lang.T("evidence"))
	for _, e := range s.Finding.Evidence {
		t.line("    %s %s", t.pad(label(t.lang, e.Name), 14), Printable(t.lang.T(e.Value)))
	}
	t.block(t.lang.T("what to do"), w.Remedy)
	if w.Command != "" {
		t.block(w.Where.In(t.lang), w.Command)
	}
	if len(w.Similar) > 0 {
		t.block(t.lang.T("looks similar, but is told apart"), strings.Join(w.Similar, " "))
	}
}

// block writes a heading and an indented paragraph. Commands are not
// wrapped, so that they can be copied.
func (t text) block(heading, body string) {
	t.line("  %s", heading)
	for _, l := range strings.Split(body, "\n") {
		t.line("    %s", Printable(l))
	}
}

func (t text) passed(s Step) {
	main := ""
	if len(s.Facts) > 0 {
		main = Printable(t.lang.T(s.Facts[0].Value))
	}
	t.line("  %s  %s %s %s", t.paint(green, t.lang.T("ok")), t.pad(s.Title.Fill(t.lang, nil), 44), t.pad(main, 44), short(s.Elapsed))
}

// notRun says of every link that was not looked at why it was not.
func (t text) notRun(r Report) {
	first := true
	for _, s := range r.Steps {
		if s.Status != NotRun {
			continue
		}
		if first {
			t.heading(t.lang.T("not looked at"))
			first = false
		}
		why := t.lang.T("not needed here")
		if s.Because != "" {
			why = t.lang.T("not run because of %s", s.Because)
		} else if reason := s.Fact("reason"); reason != "" {
			why = t.lang.T(reason)
		}
		t.line("  -   %s %s", t.pad(s.Title.Fill(t.lang, nil), 44), Printable(why))
	}
}

// label is the name of a field as people read it.
func label(l message.Lang, name string) string { return l.T(strings.ReplaceAll(name, "_", " ")) }

// pad fills s up to n columns.
func (t text) pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-columns(s)))
}

// wide are the scripts whose characters take two columns, and the full-width
// forms and punctuation that go with them.
//
// Source: https://www.unicode.org/reports/tr11/
var wide = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana,
	{R16: []unicode.Range16{{Lo: 0x3000, Hi: 0x30ff, Stride: 1}, {Lo: 0xff01, Hi: 0xff60, Stride: 1}}},
}

func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if unicode.IsOneOf(wide, r) {
			n++
		}
	}
	return n
}

// Printable replaces every control and format character of s, which keeps what
// came over the wire from speaking to the terminal.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '\ufffd'
		}
		return r
	}, s)
}

func short(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
