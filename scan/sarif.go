package scan

import (
	"encoding/json"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"tegata/internal/message"
)

// The part of SARIF that is written here.
//
// Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool                `json:"tool"`
		Invocations []sarifInvocation        `json:"invocations"`
		Bases       map[string]sarifArtifact `json:"originalUriBaseIds"`
		ColumnKind  string                   `json:"columnKind"`
		Results     []sarifResult            `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string    `json:"id"`
		Short   sarifText `json:"shortDescription"`
		Full    sarifText `json:"fullDescription"`
		Help    sarifText `json:"help"`
		Default struct {
			Level message.Severity `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        message.Severity  `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   map[string]any    `json:"properties"`
		Fixes        []sarifFix        `json:"fixes,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact sarifArtifact `json:"artifactLocation"`
			Region   sarifRegion   `json:"region"`
		} `json:"physicalLocation"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int        `json:"startLine"`
		StartColumn int        `json:"startColumn"`
		EndLine     int        `json:"endLine"`
		EndColumn   int        `json:"endColumn"`
		Snippet     *sarifText `json:"snippet,omitempty"`
	}
	sarifFix struct {
		Description sarifText     `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted *sarifText  `json:"insertedContent,omitempty"`
	}
)

// base is the name of the folder that relative paths start from.
const base = "%SRCROOT%"

// SARIF writes the report for services that collect findings. The version is
// that of tegata, the folder the one that relative paths start from.
func (r *Report) SARIF(w io.Writer, l message.Lang, version, folder string) error {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{Name: "tegata", Version: version, Rules: []sarifRule{}}},
		Invocations: []sarifInvocation{{Successful: len(r.Problems) == 0}},
		Bases:       map[string]sarifArtifact{base: {URI: fileURI(folder) + "/"}},
		ColumnKind:  "unicodeCodePoints",
		Results:     []sarifResult{},
	}
	for _, p := range r.Problems {
		run.Invocations[0].Notifications = append(run.Invocations[0].Notifications, sarifNotification{"error", sarifText{p.Error()}})
	}
	rules := &run.Tool.Driver.Rules
	for _, f := range r.Results {
		i := slices.IndexFunc(*rules, func(rule sarifRule) bool { return rule.ID == f.ID })
		if i < 0 {
			i, *rules = len(*rules), append(*rules, rule(f.ID, l))
		}
		run.Results = append(run.Results, f.sarif(i, l))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func rule(id string, l message.Lang) (r sarifRule) {
	m, _ := message.Lookup(id)
	r.ID = id
	r.Short.Text, r.Full.Text, r.Help.Text = m.Title.Fill(l, nil), m.Cause.Fill(l, nil), m.Remedy.Fill(l, nil)
	r.Default.Level = m.Severity
	return r
}

func (r *Result) sarif(rule int, l message.Lang) sarifResult {
	out := sarifResult{
		RuleID: r.ID, RuleIndex: rule, Level: r.Severity, Message: sarifText{r.says(l)},
		Fingerprints: map[string]string{"tegata/v1": r.Fingerprint()},
		Properties:   map[string]any{"confidence": r.Confidence, "evidence": r.fields(), "origin": append([]string{}, r.Origin...)},
	}
	var at sarifLocation
	at.Physical.Artifact = artifact(r.Path)
	at.Physical.Region = region(r.Start, r.End)
	at.Physical.Region.Snippet = &sarifText{r.Source}
	out.Locations = []sarifLocation{at}
	if len(r.Edits) == 0 {
		return out
	}
	change := sarifChange{Artifact: artifact(r.Path)}
	for i, e := range r.Edits {
		change.Replacements = append(change.Replacements, sarifReplacement{region(r.editsAt[i].start, r.editsAt[i].end), &sarifText{e.Text}})
	}
	m, _ := message.Lookup(r.ID)
	out.Fixes = []sarifFix{{sarifText{m.Remedy.Fill(l, r.fields())}, []sarifChange{change}}}
	return out
}

func region(start, end Position) sarifRegion {
	return sarifRegion{StartLine: start.Line, StartColumn: start.Column, EndLine: end.Line, EndColumn: end.Column}
}

func artifact(name string) sarifArtifact {
	if path.IsAbs(name) || filepath.IsAbs(name) {
		return sarifArtifact{URI: fileURI(name)}
	}
	return sarifArtifact{(&url.URL{Path: name}).String(), base}
}

// fileURI returns the URI of an absolute path.
func fileURI(name string) string {
	name = strings.TrimSuffix(filepath.ToSlash(name), "/")
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // C:/…
	}
	return (&url.URL{Scheme: "file", Path: name}).String()
}
