package cli

import (
	"context"
	"strings"

	"tegata/doctor"
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
		s.listChecks()
		return nil
	}
	host, err := s.host(ctx, *model)
	if err != nil {
		return err
	}
	report := doctor.Run(ctx, host, doctor.Checks())
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch {
	case output.value == "json":
		err = report.JSON(s.Stdout)
	case checklist.value == "diagnose":
		err = doctor.Diagnose(s.Stdout, report, s.lang)
	default:
		err = report.Text(s.Stdout, s.lang)
	}
	if err == nil && !report.Healthy() {
		err = done(exitFindings)
	}
	return err
}

func (s *session) listChecks() {
	for _, c := range doctor.Checks() {
		requires := ""
		if len(c.Requires) > 0 {
			requires = s.lang.T("; requires %s", strings.Join(c.Requires, ", "))
		}
		line(s.Stdout, "%-16s %s%s", c.Name, c.Title[s.lang], requires)
	}
}
