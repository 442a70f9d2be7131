package doctor

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"tegata/internal/message"
	"tegata/internal/report"
)

// A mark is how a section of the checklist came out.
type mark int

const (
	good mark = iota
	unsure
	bad
)

func (m mark) String() string { return [...]string{"✓", "⚠", "✗"}[m] }

// A section is one number of the checklist: a question that people ask, and
// the steps of the report that answer it.
type section struct {
	title string
	steps []string
	plain []string // of the steps, those that are told even when nothing is wrong
	ask   string   // without steps: what would have to be configured
}

// sections are the eight questions of the script that this checklist takes
// the place of.
var sections = []section{
	{
		title: "region setting (AWS_REGION)",
		steps: []string{"region"}, plain: []string{"region"},
	},
	{
		title: "IAM role",
		steps: []string{"imds-setting", "imds-token", "clock", "instance", "role", "role-credentials", "credentials"},
		plain: []string{"instance", "role", "role-credentials", "credentials"},
	},
	{
		title: "containers",
		steps: []string{"containers"}, plain: []string{"containers"},
	},
	{
		title: "health of the backend",
		ask:   "no application is configured, so nothing was asked",
	},
	{
		title: "client for Bedrock",
		steps: []string{"identity", "bedrock-key", "model-list"}, plain: []string{"identity", "model-list"},
	},
	{
		title: "errors in the latest log",
		ask:   "no log of an application is configured, so none was read",
	},
	{
		title: "start of the client in the log",
		ask:   "no log of an application is configured, so none was read",
	},
	{
		title: "direct call of Bedrock",
		steps: []string{"model", "model-access", "model-answer", "model-stream"},
		plain: []string{"model", "model-access", "model-answer", "model-stream"},
	},
}

// Diagnose writes the report as a checklist of eight numbered sections and a
// summary. A section of which nothing is known is never marked as good.
func Diagnose(w io.Writer, r report.Report, l message.Lang) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s\n", l.T("diagnosis of the way from the instance to the model"))
	counts := map[mark]int{}
	for i, s := range sections {
		m := s.mark(r)
		counts[m]++
		fmt.Fprintf(out, "\n%d. %s\n", i+1, l.T(s.title))
		for _, m := range s.remarks(r, l) {
			m.write(out)
		}
	}
	summary(out, r, l, counts)
	return out.Flush()
}

// mark is the worst of the steps.
func (s section) mark(r report.Report) mark {
	if s.steps == nil {
		return unsure
	}
	worst := good
	for _, name := range s.steps {
		worst = max(worst, markOf(r.Step(name)))
	}
	return worst
}

// markOf is the mark of one step. What stands idle because of a fault is not
// bad by itself, but nobody can call it good.
func markOf(s report.Step) mark {
	switch s.Status {
	case report.Passed:
		return good
	case report.Failed:
		return bad
	}
	return unsure
}

// A remark is one line of a section, about one step or about several of which
// the same is to be said.
type remark struct {
	mark  mark
	about []string // titles of the steps; none for a finding, which says itself what it is about
	words string
}

func (m remark) write(out io.Writer) {
	indented(out, 5, m.mark.String()+" ", strings.Join(append(m.about, m.words), ": "))
}

func (s section) remarks(r report.Report, l message.Lang) []remark {
	if s.steps == nil {
		return []remark{{mark: unsure, words: l.T("not known: %s", l.T(s.ask))}}
	}
	var all []remark
	for _, name := range s.steps {
		step := r.Step(name)
		if step.Status == report.Passed && !slices.Contains(s.plain, name) {
			continue
		}
		next := remarkOn(step, l)
		if last := len(all) - 1; last >= 0 && all[last].says(next) {
			all[last].about[0] += l.T(", ") + next.about[0]
			continue
		}
		all = append(all, next)
	}
	return all
}

// says reports whether another remark on a step has the same words.
func (m remark) says(other remark) bool {
	return m.about != nil && other.about != nil && m.mark == other.mark && m.words == other.words
}

// remarkOn says what was found in a step, or why it was not run, or what it
// learnt.
func remarkOn(step report.Step, l message.Lang) remark {
	m := remark{mark: markOf(step), about: []string{step.Title.Fill(l, nil)}}
	switch {
	case step.Finding != nil:
		words := step.Words(l)
		m.about, m.words = nil, words.ID+": "+clean(words.Title)
	case step.Because != "":
		m.words = l.T("not run because of %s", step.Because)
	default:
		m.words = clean(or(step.Told(l), func() string { return l.T("not looked at") }))
	}
	return m
}

// clean keeps what came over the wire on its line and off the terminal.
func clean(s string) string { return report.Printable(clip(s)) }

// indented writes a paragraph n columns from the edge, its first line after a
// mark if there is one.
func indented(out io.Writer, n int, mark, s string) {
	for i, line := range report.Wrap(s, report.Width-n) {
		if i > 0 {
			mark = ""
		}
		fmt.Fprintf(out, "%*s%s\n", n, mark, line)
	}
}

func summary(out io.Writer, r report.Report, l message.Lang, counts map[mark]int) {
	fmt.Fprintf(out, "\n%s: %s %d  %s %d  %s %d\n", l.T("summary"), good, counts[good], unsure, counts[unsure], bad, counts[bad])
	root := r.Root()
	if root == nil {
		fmt.Fprintf(out, "%s %s\n", good, l.T("nothing that could be looked at is broken"))
		return
	}
	w := root.Words(l)
	indented(out, 2, markOf(*root).String()+" ", fmt.Sprintf("%s %s: %s", l.T("begin with"), w.ID, clean(w.Title)))
	indented(out, 2, "", clean(w.Remedy))
	if w.Command != "" {
		fmt.Fprintf(out, "  %s\n    %s\n", w.Where.In(l), report.Printable(w.Command))
	}
}
