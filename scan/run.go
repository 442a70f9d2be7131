package scan

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Options say what is scanned, and how.
type Options struct {
	Detectors map[Lang]Detector // who reads what; Plain reads what nobody else does

	// Template returns what stands in a file that Terraform fills in before
	// anybody reads it. Nil means that such files are read as they are.
	Template func(file *Text, lang Lang) *Text

	Everything bool       // whether to read what .gitignore names, too
	Exclude    []string   // patterns as in .gitignore of what is passed over
	Least      Confidence // of what is told; Likely if empty
	Known      *Baseline  // what is not told again; nil for none
	Added      Added      // the lines that are looked at; nil for all

	// Write says that the changes are to be written: those are left out that
	// a person should look at first.
	Write bool
}

// A Report is the outcome of a scan.
type Report struct {
	Results  []*Result // by file and place
	Changes  []Change  // what mends those of Results that can be mended
	Problems []Problem // files that could not be read
	Notes    []Note    // what is wrong with requests to ignore something
	Files    int       // how many files there were
	Silenced int       // results that a comment or the baseline keeps from being told
}

// A scan is one run.
type scan struct {
	*Options
	mu       sync.Mutex
	readings map[string]*reading
	problems []Problem
}

// Run scans files and trees of files. It fails only if the context ends; what
// can't be read is told in the report.
func Run(ctx context.Context, o Options, paths []string) (*Report, error) {
	s := &scan{Options: &o, readings: map[string]*reading{}}
	w := &walker{everything: o.Everything, exclude: o.Exclude, visit: s.visit, large: s.large, problem: s.problem}
	files := w.walk(ctx, paths)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	report := s.report()
	report.Files = files
	return report, nil
}

// Source scans one text that is in no file, as if it were one of that name.
func Source(o Options, name string, data []byte) *Report {
	s := &scan{Options: &o, readings: map[string]*reading{}}
	s.visit(filepath.ToSlash(name), data, true)
	report := s.report()
	report.Files = 1
	return report
}

// head is how much of a file tells its kind.
const head = 4 << 10

func (s *scan) visit(name string, data []byte, asked bool) {
	lang := KindOf(name, data[:min(len(data), head)])
	if lang == "" && !asked {
		return
	}
	if lang == Plain && isTemplate(name, data) || lang != "" && beginsWithTag(data) {
		lang = Template
	}
	if lang == "" {
		lang = Document
	}
	src := source{path: name, lang: lang, data: data}
	if lang == Template && isTerraforms(name, data) && s.Template != nil {
		src.lang, src.template = CloudInit, true
	}
	r, err := s.read(src)
	if err != nil {
		s.problem(name, err)
		return
	}
	if len(r.results) == 0 && len(r.units) == 0 {
		return
	}
	r.data = bytes.Clone(data)
	s.verify(r, r.mendable())
	s.mu.Lock()
	s.readings[name] = r
	s.mu.Unlock()
}

// isTemplate reports whether a file whose name says nothing is filled in first.
func isTemplate(name string, data []byte) bool {
	switch path.Ext(name) {
	case "", ".yaml", ".yml", ".json", ".conf", ".config", ".cfg", ".txt":
		return bytes.Contains(data, []byte("{{")) || bytes.Contains(data, []byte("{%")) || bytes.Contains(data, []byte("<%"))
	}
	return false
}

// beginsWithTag reports whether a file begins with what a template puts in:
// nothing else is read as such.
func beginsWithTag(data []byte) bool {
	start := bytes.TrimSpace(data[:min(len(data), head)])
	return bytes.HasPrefix(start, []byte("{{")) || bytes.HasPrefix(start, []byte("{%"))
}

// isTerraforms reports whether Terraform fills in a template, and not another
// program: they share an ending.
func isTerraforms(name string, data []byte) bool {
	if strings.HasSuffix(name, ".tftpl") {
		return true
	}
	return strings.HasSuffix(name, ".tpl") && !bytes.Contains(data, []byte("{{")) && !bytes.Contains(data, []byte("<%"))
}

func (s *scan) problem(name string, err error) {
	s.mu.Lock()
	s.problems = append(s.problems, Problem{name, err})
	s.mu.Unlock()
}

// report joins what belongs together, and tells what is to be told.
func (s *scan) report() *Report {
	s.join()
	out := &Report{}
	told := map[string][]*Result{}
	for _, name := range s.paths() {
		told[name] = s.told(s.readings[name], out)
		out.Results = append(out.Results, told[name]...)
	}
	for _, name := range s.paths() {
		if change, ok := s.change(s.readings[name], told[name]); ok {
			out.Changes = append(out.Changes, change)
		}
	}
	slices.SortFunc(s.problems, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	out.Problems = s.problems
	return out
}

// told returns the results of a file that a user wants to know of.
func (s *scan) told(r *reading, out *Report) (told []*Result) {
	least := s.Least
	if least == "" {
		least = Likely
	}
	notes := notesIn(r.path, r.data)
	for _, f := range r.results {
		switch {
		case f.Confidence.rank() < least.rank(), s.Added != nil && !s.Added.has(f.Path, f.Start.Line):
		case notes.silence(f), s.Known.knows(f):
			out.Silenced++
		default:
			f.told = true
			told = append(told, f)
		}
	}
	out.Notes = append(out.Notes, notes.wrong...)
	return told
}

func (s *scan) paths() []string {
	var all []string
	for name := range s.readings {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// load reads a file that another one names.
func load(name string) ([]byte, error) {
	f, err := os.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", name)
	}
	buffer := make([]byte, 64<<10)
	n, err := fill(f, &buffer)
	if err != nil || n > maxWhole || isBinary(buffer[:n]) {
		return nil, fmt.Errorf("%s can't be read as a whole", name)
	}
	return buffer[:n], nil
}
