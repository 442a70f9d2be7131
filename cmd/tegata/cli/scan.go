package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tegata/scan"
	"tegata/scan/terraform"
)

// A scanning is what the flags of one scan say.
type scanning struct {
	output     *choice
	diff, fix  bool
	baseline   string
	since      string
	as         string
	paths      []string
	confidence *choice
	options    scan.Options
}

func runScan(ctx context.Context, s *session) error {
	r, err := s.scanFlags()
	if err != nil {
		return err
	}
	report, err := s.scan(ctx, r)
	if err != nil {
		return err
	}
	failed := false
	if r.fix && len(report.Changes) > 0 {
		failed = s.rewrite(report)
		if report, err = s.scan(ctx, r); err != nil { // lines have moved
			return err
		}
	}
	for _, n := range report.Notes {
		s.warn("line %[2]d of %[1]s: %[3]s", n.Path, n.Line, s.lang.T(n.What))
	}
	for _, p := range report.Problems {
		s.warn("not read: %v", p)
	}
	switch err := s.writeScan(r, report); {
	case err != nil:
		return err
	case len(report.Problems) > 0 || failed:
		return done(exitFailed)
	case len(report.Results) > 0:
		return done(exitFindings)
	}
	return nil
}

func (s *session) scanFlags() (r *scanning, err error) {
	r = &scanning{output: oneOf("text", "json", "sarif", "github", "junit"), confidence: oneOf("likely", "sure", "possible")}
	fs := s.flags()
	fs.Var(r.output, "o", "")
	fs.BoolVar(&r.diff, "diff", false, "")
	fs.BoolVar(&r.fix, "fix", false, "")
	fs.StringVar(&r.baseline, "baseline", "", "")
	fs.StringVar(&r.since, "git", "", "")
	fs.StringVar(&r.as, "as", "", "")
	fs.BoolVar(&r.options.Everything, "no-ignore", false, "")
	fs.Var((*list)(&r.options.Exclude), "exclude", "")
	fs.Var(r.confidence, "min-confidence", "")
	if r.paths, err = s.parse(fs); err != nil {
		return nil, err
	}
	r.options.Detectors, r.options.Template = detectors(), terraform.TemplateText
	r.options.Least, r.options.Write = scan.Confidence(r.confidence.value), r.fix
	return r, r.check()
}

// check refuses flags that don't go together, and fills in the defaults.
func (r *scanning) check() error {
	stdin := len(r.paths) == 1 && r.paths[0] == "-"
	switch {
	case r.diff && r.fix:
		return usagef("--diff shows what --fix writes; give one of them")
	case r.diff && r.output.value != "text":
		return usagef("--diff writes a patch; leave out -o %s", r.output.value)
	case stdin && r.fix:
		return usagef("standard input can't be written to; use --diff")
	case stdin && r.since != "":
		return usagef("git knows nothing of standard input")
	case !stdin && r.as != "":
		return usagef("--as names standard input; give - as the path")
	}
	if len(r.paths) == 0 {
		r.paths = []string{"."}
	}
	if r.as == "" {
		r.as = "stdin"
	}
	return nil
}

func readBaseline(name string) (*scan.Baseline, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return scan.ReadBaseline(f)
}

// scan reads what is to be read. The baseline and git are asked each time, for
// a baseline is used up, and lines move.
func (s *session) scan(ctx context.Context, r *scanning) (report *scan.Report, err error) {
	if r.baseline != "" {
		if r.options.Known, err = readBaseline(r.baseline); err != nil {
			return nil, err
		}
	}
	if r.since != "" {
		if r.options.Added, err = scan.Since(ctx, folderOf(r.paths[0]), r.since); err != nil {
			return nil, err
		}
	}
	if r.paths[0] != "-" {
		return scan.Run(ctx, r.options, r.paths)
	}
	data, err := io.ReadAll(s.Stdin)
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	return scan.Source(r.options, r.as, data), nil
}

// folderOf returns where git is to be run for a path.
func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return path
}

// rewrite writes the changes, file by file, and reports whether one could not
// be written.
func (s *session) rewrite(report *scan.Report) (failed bool) {
	for _, c := range report.Changes {
		if err := c.Write(); err != nil {
			s.warn("not written: %v", scan.Problem{Path: c.Path, Err: err})
			failed = true
			continue
		}
		s.warn("%s: %d rewritten", c.Path, len(c.Results))
	}
	return failed
}

func (s *session) writeScan(r *scanning, report *scan.Report) error {
	if r.diff {
		return report.Diff(s.Stdout)
	}
	switch r.output.value {
	case "json":
		return report.JSON(s.Stdout)
	case "sarif":
		folder, err := os.Getwd()
		if err != nil {
			return err
		}
		return report.SARIF(s.Stdout, s.lang, version, folder)
	case "github":
		return report.Annotations(s.Stdout, s.lang)
	case "junit":
		return report.JUnit(s.Stdout, s.lang)
	}
	return report.Text(s.Stdout, s.lang)
}
