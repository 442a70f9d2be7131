package cli

import (
	"context"
	"os"
	"strings"

	"golang.org/x/term"

	"tegata/doctor"
	"tegata/internal/report"
)

func runDoctor(ctx context.Context, s *session) error {
	fs := s.flags()
	output := oneOf("text", "json")
	fs.Var(output, "o", "")
	checklist := oneOf("", "diagnose")
	fs.Var(checklist, "checklist", "")
	model := fs.String("model", s.Getenv("BEDROCK_MODEL_ID"), "")
	list := fs.Bool("list", false, "")
	if err := s.noArgs(fs); err != nil {
		return err
	}
	if checklist.value != "" && output.value != "text" {
		return usagef("--checklist is text; leave out -o %s", output.value)
	}
	if *list {
		return s.listChecks()
	}
	host, err := s.host(ctx, *model)
	if err != nil {
		return err
	}
	found := doctor.Run(ctx, host, doctor.Checks())
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch {
	case output.value == "json":
		err = found.JSON(s.Stdout)
	case checklist.value == "diagnose":
		err = doctor.Diagnose(s.Stdout, found, s.lang)
	default:
		err = s.writeReport(found)
	}
	if err == nil && !found.Healthy() {
		err = done(exitFindings)
	}
	return err
}

// writeReport writes a report for people, with colours where they can be seen
// and are wanted (https://no-color.org).
func (s *session) writeReport(r report.Report) error {
	if onTerminal(s.Stdout) && s.Getenv("NO_COLOR") == "" && s.Getenv("TERM") != "dumb" {
		return r.ColorText(s.Stdout, s.lang)
	}
	return r.Text(s.Stdout, s.lang)
}

func onTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (s *session) listChecks() error {
	for _, c := range doctor.Checks() {
		requires := ""
		if len(c.Requires) > 0 {
			requires = s.lang.T("; requires %s", strings.Join(c.Requires, ", "))
		}
		if err := line(s.Stdout, "%-16s %s%s", c.Name, c.Title[s.lang], requires); err != nil {
			return err
		}
	}
	return nil
}
