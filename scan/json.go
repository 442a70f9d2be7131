package scan

import (
	"encoding/json"
	"io"

	"tegata/internal/message"
)

// Version is that of the form of [Report.JSON]. Fields may be added to it,
// none is changed or taken away.
const Version = 1

type jsonReport struct {
	Version  int           `json:"version"`
	Files    int           `json:"files"`
	Silenced int           `json:"silenced"`
	Findings []jsonFinding `json:"findings"`
	Problems []jsonProblem `json:"problems"`
}

type jsonFinding struct {
	ID          string            `json:"id"`
	Severity    message.Severity  `json:"severity"`
	Confidence  Confidence        `json:"confidence"`
	Title       message.Text      `json:"title"`
	Path        string            `json:"path"`
	Line        int               `json:"line"`
	Column      int               `json:"column"`
	EndLine     int               `json:"end_line"`
	EndColumn   int               `json:"end_column"`
	Start       int               `json:"start"` // in bytes of the file
	End         int               `json:"end"`
	Source      string            `json:"source"`
	Fingerprint string            `json:"fingerprint"`
	Origin      []string          `json:"origin"`
	Evidence    map[string]string `json:"evidence"`
	Fix         []jsonEdit        `json:"fix"` // empty if nothing mends it
	Why         string            `json:"why,omitempty"`
}

type jsonEdit struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}

type jsonProblem struct {
	Path  string `json:"path"`
	Error string `json:"error"`
}

// JSON writes the report for programs, in every language at once.
func (r *Report) JSON(w io.Writer) error {
	out := jsonReport{Version: Version, Files: r.Files, Silenced: r.Silenced, Findings: []jsonFinding{}, Problems: []jsonProblem{}}
	for _, f := range r.Results {
		out.Findings = append(out.Findings, f.json())
	}
	for _, p := range r.Problems {
		out.Problems = append(out.Problems, jsonProblem{p.Path, p.reason()})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func (r *Result) json() jsonFinding {
	f := jsonFinding{
		ID: r.ID, Severity: r.Severity, Confidence: r.Confidence, Path: r.Path,
		Title: message.Text{message.English: r.Title(message.English), message.Japanese: r.Title(message.Japanese)},
		Line:  r.Start.Line, Column: r.Start.Column, EndLine: r.End.Line, EndColumn: r.End.Column, Start: r.At.Start, End: r.At.End,
		Source: r.Source, Fingerprint: r.Fingerprint(), Origin: append([]string{}, r.Origin...), Evidence: r.fields(), Fix: []jsonEdit{}, Why: r.Why,
	}
	for _, e := range r.Edits {
		f.Fix = append(f.Fix, jsonEdit{e.Start, e.End, e.Text})
	}
	return f
}

// fields joins the values of a name that occurs twice.
func (r *Result) fields() map[string]string {
	all := map[string]string{}
	for _, f := range r.Evidence {
		if v, ok := all[f.Name]; ok {
			f.Value = v + "; " + f.Value
		}
		all[f.Name] = f.Value
	}
	return all
}

// Title says what is wrong, in one line.
func (r *Result) Title(l message.Lang) string {
	m, _ := message.Lookup(r.ID)
	return m.Title.Fill(l, r.fields())
}
