package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/scan"
)

func TestUnknownText(t *testing.T) {
	t.Parallel()
	const url = "http://169.254.169.254/latest/meta-data/"
	for _, tt := range []struct {
		name, path, body string
		findings         int
		texts            []scan.Lang
	}{
		{"a command", "a.json", `{"run": "curl -s ` + url + `"}`, 1, nil},
		{"for people", "a.json", `{"description": "curl -s ` + url + `","example":"curl -s ` + url + `"}`, 0, []scan.Lang{scan.Prose, scan.Prose}},
		{"PowerShell", "a.yaml", "a: (iwr " + url + ").Content\nb: curl " + url + "\n", 1, []scan.Lang{scan.PowerShell}},
		{"a script", "a.json", `{"a": "#!/bin/bash\ncurl -s ` + url + `"}`, 0, []scan.Lang{scan.Bash}},
		{"several lines", "a.json", `{"a": "set -e\ncurl -s ` + url + `"}`, 0, []scan.Lang{scan.Plain}},
		{"neither YAML nor JSON", "a.conf", "description: curl -s " + url + "\n", 1, nil},
	} {
		f := unknownText(scan.File(tt.path, scan.Plain, []byte(tt.body)))
		var langs []scan.Lang
		for _, text := range f.Texts {
			langs = append(langs, text.Lang)
		}
		if d := cmp.Diff(tt.texts, langs); d != "" || len(f.Findings) != tt.findings {
			t.Errorf("%s: %d findings, %s", tt.name, len(f.Findings), d)
		}
	}
}
