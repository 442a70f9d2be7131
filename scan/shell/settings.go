package shell

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"tegata/scan"
)

// metadataSettings are the settings of ~/.aws/config that have to do with the
// metadata service and that some tool reads.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html;
// imds_use_ipv6 is botocore's own, the last two are the AWS CLI's.
var metadataSettings = []string{
	"ec2_metadata_v1_disabled", "ec2_metadata_service_endpoint", "ec2_metadata_service_endpoint_mode",
	"imds_use_ipv6", "metadata_service_timeout", "metadata_service_num_attempts",
}

// aws reads a command line of the AWS CLI.
func (s *script) aws(c *command, fields []field) {
	_, words := options(fields[1:], "", []string{"profile", "region", "endpoint-url", "output", "query", "model-id", "body", "payload", "function-name"})
	var texts []string
	for _, w := range words {
		texts = append(texts, w.text)
	}
	switch {
	case len(texts) > 2 && texts[0] == "configure" && texts[1] == "set":
		s.setting(span(c.call), texts[2])
	case len(texts) > 1 && (texts[0] == "bedrock-runtime" || texts[0] == "lambda"):
		s.blob(c, fields)
	case len(texts) > 1 && texts[0] == "ssm" && texts[1] == "send-command":
		for _, f := range fields {
			if runs(f.text) {
				s.embed(c, f.word, scan.Plain, "ssm send-command")
			}
		}
	}
}

// setting reports a setting that nothing reads.
func (s *script) setting(at scan.Span, name string) {
	bare := name[strings.LastIndexByte(name, '.')+1:]
	if !strings.Contains(bare, "imds") && !strings.Contains(bare, "metadata") || slices.Contains(metadataSettings, bare) {
		return
	}
	s.facts.Findings = append(s.facts.Findings, scan.Finding{
		ID: "TG1206", Confidence: scan.Sure, At: at,
		Evidence: []scan.Field{{Name: "setting", Value: bare}},
		Why:      whySetting,
	})
}

// settingLine matches a setting of the metadata service in ~/.aws/config.
var settingLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^[ \t]*([a-z0-9_]*(?:imds|metadata)[a-z0-9_]*)[ \t]*=.*$`)
})

// config reads a file that a script writes to ~/.aws/config.
func (s *script) config(at scan.Span) {
	for _, m := range settingLine().FindAllStringSubmatchIndex(s.text.Body[at.Start:at.End], -1) {
		s.setting(scan.Span{Start: at.Start + m[2], End: at.Start + m[1]}, s.text.Body[at.Start+m[2]:at.Start+m[3]])
	}
}

// blob reports JSON for a parameter that the AWS CLI, since version 2, reads as
// base64.
//
// Source: https://docs.aws.amazon.com/cli/latest/userguide/cliv2-migration-changes.html
func (s *script) blob(c *command, fields []field) {
	if strings.Contains(s.text.Body, "cli_binary_format") || strings.Contains(s.text.Body, "AWS_CLI_BINARY_FORMAT") {
		return
	}
	found := -1
	for i, f := range fields {
		if f.text == "--cli-binary-format" || strings.HasPrefix(f.text, "--cli-binary-format=") {
			return
		}
		name, joined, isJoined := strings.Cut(f.text, "=")
		if name != "--body" && name != "--payload" {
			continue
		}
		if !isJoined && i+1 < len(fields) {
			joined = fields[i+1].text
		}
		if isJSON(joined) {
			found = i
		}
	}
	if found < 0 {
		return
	}
	at := fields[found].at
	f := scan.Finding{
		ID: "TG1008", Confidence: scan.Sure, At: span(c.call),
		Evidence: []scan.Field{{Name: "parameter", Value: strings.SplitN(fields[found].text, "=", 2)[0]}},
	}
	if f.Fix = s.first([]scan.Splice{{At: scan.Span{Start: at.Start, End: at.Start}, Text: "--cli-binary-format raw-in-base64-out "}}); f.Fix == nil {
		f.Why = whyFixed
	}
	s.facts.Findings = append(s.facts.Findings, f)
}

// isJSON reports whether a value is JSON as it stands: base64 has no such
// start.
func isJSON(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasPrefix(s, "{") && s != scan.Unknown || strings.HasPrefix(s, "[")
}
