package cli

import (
	"path"
	"slices"

	"tegata/scan"
	"tegata/scan/ansible"
	"tegata/scan/cloudformation"
	"tegata/scan/cloudinit"
	"tegata/scan/code"
	"tegata/scan/cron"
	"tegata/scan/delivery"
	"tegata/scan/deps"
	"tegata/scan/docker"
	"tegata/scan/iam"
	"tegata/scan/makefile"
	"tegata/scan/powershell"
	"tegata/scan/shell"
	"tegata/scan/systemd"
	"tegata/scan/template"
	"tegata/scan/terraform"
	"tegata/scan/workload"
	"tegata/scan/yaml"
)

// detectors says who reads which language.
func detectors() map[scan.Lang]scan.Detector {
	return map[scan.Lang]scan.Detector{
		scan.Shell:      shell.Detect,
		scan.Bash:       shell.Detect,
		scan.PowerShell: powershell.Detect,
		scan.Batch:      powershell.Detect,

		scan.CloudInit:      cloudinit.Detect,
		scan.CloudFormation: cloudformation.Detect,
		scan.Terraform:      together(terraform.Detect, delivery.Detect),
		scan.Packer:         terraform.Detect,
		scan.Ansible:        ansible.Detect,
		scan.Kubernetes:     together(workload.Detect, delivery.Detect),
		scan.Compose:        workload.Detect,
		scan.Workflow:       workload.Detect,
		scan.Docker:         docker.Detect,
		scan.Systemd:        systemd.Detect,
		scan.Crontab:        cron.Detect,
		scan.Make:           makefile.Detect,
		scan.Template:       template.Detect,
		scan.IAM:            iam.Detect,
		scan.Manifest:       deps.Detect,

		scan.Python:     code.Detect,
		scan.Go:         code.Detect,
		scan.JavaScript: code.Detect,
		scan.Java:       code.Detect,
		scan.CSharp:     code.Detect,
		scan.Ruby:       code.Detect,
		scan.PHP:        code.Detect,
		scan.Plain:      unknownText,
	}
}

// unknownText reads a text of no known language: its command lines as a shell's, and
// what else is like a call as a program's.
func unknownText(t *scan.Text) scan.Facts {
	facts := shell.Lines(t)
	slices.SortFunc(facts.Findings, func(a, b scan.Finding) int { return a.At.Start - b.At.Start })
	overlaps := overlapping(facts.Findings)
	for _, f := range code.Detect(t).Findings {
		if !overlaps(f.At) {
			facts.Findings = append(facts.Findings, f)
		}
	}
	if isYAMLOrJSON(t) && (len(facts.Findings) > 0 || yaml.MayHoldScripts(t)) {
		inner := yaml.Strings(t)
		facts.Findings = slices.DeleteFunc(facts.Findings, func(f scan.Finding) bool { return within(t, f.At, inner) })
		facts.Texts = append(facts.Texts, inner...)
	}
	return facts
}

// isYAMLOrJSON reports whether a text is a whole file that is called so.
func isYAMLOrJSON(t *scan.Text) bool {
	switch path.Ext(t.Path) {
	case ".json", ".yaml", ".yml":
		return !t.Embedded()
	}
	return false
}

// within reports whether a span of a text begins in one of the texts in it: a
// line read without its quotes may seem to go on behind a string's end.
func within(t *scan.Text, at scan.Span, texts []*scan.Text) bool {
	at = t.InFile(at)
	return slices.ContainsFunc(texts, func(inner *scan.Text) bool {
		whole := inner.InFile(scan.Span{End: len(inner.Body)})
		return whole.Start <= at.Start && at.Start < whole.End
	})
}

// overlapping returns what tells whether a span shares a byte with one of the
// findings, which are sorted by where they begin.
func overlapping(sorted []scan.Finding) func(scan.Span) bool {
	starts, ends := make([]int, len(sorted)), make([]int, len(sorted))
	end := 0
	for i, f := range sorted {
		end = max(end, f.At.End)
		starts[i], ends[i] = f.At.Start, end
	}
	return func(s scan.Span) bool {
		before, _ := slices.BinarySearch(starts, s.End)
		return before > 0 && ends[before-1] > s.Start
	}
}

// together has several detectors read the same text.
func together(all ...scan.Detector) scan.Detector {
	return func(t *scan.Text) (facts scan.Facts) {
		for _, detect := range all {
			f := detect(t)
			facts.Findings = append(facts.Findings, f.Findings...)
			facts.Texts = append(facts.Texts, f.Texts...)
			facts.Units = append(facts.Units, f.Units...)
		}
		return facts
	}
}
