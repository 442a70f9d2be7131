package doctor

import (
	"bufio"
	"fmt"
	"io"
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
	steps []string // none: what is asked for can't be known yet
	facts []string // of the steps, those worth a line
	ask   string   // without steps: what would have to be configured
}

// sections are the eight questions of the script that this checklist takes
// the place of.
var sections = []section{
	{
		title: "region setting (AWS_REGION)",
		steps: []string{"region"}, facts: []string{"region", "origin"},
	},
	{
		title: "IAM role",
		steps: []string{"imds-setting", "imds-token", "clock", "instance", "role", "role-credentials", "credentials"},
		facts: []string{"instance_id", "role", "valid_for", "source"},
	},
	{
		title: "containers",
		steps: []string{"containers"}, facts: []string{"processes_in_containers", "listener", "no_listener"},
	},
	{
		title: "health of the backend",
		ask:   "no application is configured, so nothing was asked",
	},
	{
		title: "client for Bedrock",
		steps: []string{"identity", "bedrock-key", "model-list"}, facts: []string{"arn", "models"},
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
		steps: []string{"model", "model-access", "model-answer"}, facts: []string{"model", "access", "tokens"},
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
		for _, line := range s.lines(r, l) {
			fmt.Fprintf(out, "   %s\n", line)
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
	switch {
	case s.Status == report.Passed && s.Fact("no_listener") == "":
		return good
	case s.Status == report.Failed:
		return bad
	}
	return unsure
}

func (s section) lines(r report.Report, l message.Lang) []string {
	if s.steps == nil {
		return []string{fmt.Sprint(unsure, " ", l.T("not known: %s", l.T(s.ask)))}
	}
	var lines []string
	for _, name := range s.steps {
		lines = append(lines, s.stepLines(r.Step(name), l)...)
	}
	if len(lines) == 0 {
		return []string{fmt.Sprint(good, " ", l.T("in order"))}
	}
	return lines
}

// stepLines are the finding of a step, or why it did not run, or its facts.
func (s section) stepLines(step report.Step, l message.Lang) []string {
	m := markOf(step)
	switch {
	case step.Finding != nil:
		words := step.Words(l)
		return []string{fmt.Sprintf("%s %s: %s", m, words.ID, clean(words.Title))}
	case step.Status == report.NotRun && step.Because != "":
		return []string{fmt.Sprintf("%s %s: %s", m, step.Title.Fill(l, nil), l.T("not run because of %s", step.Because))}
	case step.Status != report.Passed:
		return []string{fmt.Sprintf("%s %s: %s", m, step.Title.Fill(l, nil), clean(l.T(or(step.Fact("reason"), func() string { return "not looked at" }))))}
	}
	var lines []string
	for _, f := range step.Facts {
		for _, name := range s.facts {
			if f.Name == name && f.Value != "" {
				lines = append(lines, fmt.Sprintf("%s %s: %s", markOfFact(f), l.T(strings.ReplaceAll(name, "_", " ")), clean(l.T(f.Value))))
			}
		}
	}
	return lines
}

func markOfFact(f report.Field) mark {
	if f.Name == "no_listener" {
		return unsure
	}
	return good
}

// clean keeps what came over the wire on its line and off the terminal.
func clean(s string) string { return report.Printable(clip(s)) }

func summary(out io.Writer, r report.Report, l message.Lang, counts map[mark]int) {
	fmt.Fprintf(out, "\n%s: %s %d  %s %d  %s %d\n", l.T("summary"), good, counts[good], unsure, counts[unsure], bad, counts[bad])
	root := r.Root()
	if root == nil {
		fmt.Fprintf(out, "%s %s\n", good, l.T("nothing that could be looked at is broken"))
		return
	}
	w := root.Words(l)
	fmt.Fprintf(out, "%s %s %s: %s\n", markOf(*root), l.T("begin with"), w.ID, clean(w.Title))
	fmt.Fprintf(out, "   %s\n", clean(w.Remedy))
	if w.Command != "" {
		fmt.Fprintf(out, "   %s\n     %s\n", w.Where.In(l), report.Printable(w.Command))
	}
}
