package report

import (
	"encoding/json"
	"io"
	"time"

	"tegata/internal/message"
)

// Version is that of the form of [Report.JSON]. Fields may be added to it,
// none is changed or taken away.
const Version = 1

type jsonReport struct {
	Version int        `json:"version"`
	Healthy bool       `json:"healthy"`
	Root    string     `json:"root,omitempty"` // id of the finding to read first
	Started time.Time  `json:"started"`
	Elapsed int64      `json:"elapsed_ms"`
	Steps   []jsonStep `json:"steps"`
}

type jsonStep struct {
	Name    string            `json:"name"`
	Title   message.Text      `json:"title"`
	Status  Status            `json:"status"`
	Because string            `json:"because,omitempty"`
	Elapsed int64             `json:"elapsed_ms"`
	Facts   map[string]string `json:"facts,omitempty"`
	Finding *jsonFinding      `json:"finding,omitempty"`
}

type jsonFinding struct {
	ID       string            `json:"id"`
	Severity message.Severity  `json:"severity"`
	Title    message.Text      `json:"title"`
	Cause    message.Text      `json:"cause"`
	Remedy   message.Text      `json:"remedy"`
	Command  string            `json:"command,omitempty"`
	Where    message.Where     `json:"where"`
	Evidence map[string]string `json:"evidence"`
	Similar  []string          `json:"similar,omitempty"`
}

// JSON writes the report for programs, in every language at once.
func (r Report) JSON(w io.Writer) error {
	out := jsonReport{
		Version: Version, Healthy: r.Healthy(), Started: r.Started, Elapsed: r.Elapsed.Milliseconds(), Steps: []jsonStep{},
	}
	if root := r.Root(); root != nil {
		out.Root = root.Finding.ID
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, jsonStep{
			Name: s.Name, Title: s.Title, Status: s.Status, Because: s.Because, Elapsed: s.Elapsed.Milliseconds(),
			Facts: object(s.Facts), Finding: s.json(),
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func (s Step) json() *jsonFinding {
	if s.Finding == nil {
		return nil
	}
	en, ja := s.Words(message.English), s.Words(message.Japanese)
	both := func(en, ja string) message.Text { return message.Text{message.English: en, message.Japanese: ja} }
	return &jsonFinding{
		ID: en.ID, Severity: en.Severity, Command: en.Command, Where: en.Where, Similar: en.Similar,
		Title: both(en.Title, ja.Title), Cause: both(en.Cause, ja.Cause), Remedy: both(en.Remedy, ja.Remedy),
		Evidence: object(s.Finding.Evidence),
	}
}

// object joins the values of a name that occurs twice, and leaves out those
// that are empty.
func object(fields []Field) map[string]string {
	all := map[string]string{}
	for _, f := range fields {
		if f.Value == "" {
			continue
		}
		if v, ok := all[f.Name]; ok {
			f.Value = v + "; " + f.Value
		}
		all[f.Name] = f.Value
	}
	return all
}
