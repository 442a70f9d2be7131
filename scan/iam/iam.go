// Package iam reads IAM policy documents, and finds in them what AWS will not
// evaluate as it was meant: a statement that can never match, and one that
// gives away every role of the account.
//
// Start with [Detect]. A document reaches it as JSON, whatever it was written
// in: whoever finds one in HCL or YAML yields it as a [scan.Text].
package iam

import (
	"slices"
	"strings"

	"tegata/internal/policy"
	"tegata/scan"
)

// Why there is no fix.
const (
	whySplit = "an action without resource types needs a statement of its own, with * as its resource"
	whyNames = "which resources are meant is not in the text"
)

// Detect finds statements that can't work (TG1205) and one that lets its
// holder become any role (TG1207). A text that is no policy has no findings.
func Detect(t *scan.Text) (facts scan.Facts) {
	document, ok := parse(t.Body)
	if !ok {
		return facts
	}
	statements := document.member("Statement").items()
	for _, s := range statements {
		if !strings.EqualFold(s.member("Effect").text, "Allow") {
			continue
		}
		facts.Findings = append(facts.Findings, unmatched(s)...)
		facts.Findings = append(facts.Findings, escalates(s)...)
	}
	facts.Findings = append(facts.Findings, profiles(statements)...)
	return facts
}

// unmatched finds the actions of a statement that none of its resources can be
// the object of, so that the statement never allows them.
func unmatched(s node) (found []scan.Finding) {
	resources := s.member("Resource").items()
	if len(resources) == 0 || slices.ContainsFunc(resources, everything) {
		return nil
	}
	for _, action := range s.member("Action").items() {
		if strings.ContainsAny(action.text, "*?") || !strings.Contains(action.text, ":") {
			continue
		}
		switch {
		case !policy.TakesResource(action.text):
			found = append(found, finding(action, "never matches an ARN", resources, whySplit))
		case !slices.ContainsFunc(resources, func(r node) bool { return suits(action.text, r.text) }):
			found = append(found, finding(action, "is for "+resourceTypes[action.text], resources, whyNames))
		}
	}
	return found
}

func finding(action node, reason string, resources []node, why string) scan.Finding {
	return scan.Finding{
		ID: "TG1205", Confidence: scan.Sure, At: action.at, Why: why,
		Evidence: []scan.Field{{Name: "action", Value: action.text}, {Name: "reason", Value: reason}, {Name: "resource", Value: resources[0].text}},
	}
}

// everything reports whether a resource takes in all resources of a service,
// or what it takes in is filled in later.
func everything(r node) bool {
	if r.kind != text || r.text == "*" || r.text == scan.Unknown {
		return true
	}
	parts := strings.SplitN(r.text, ":", 6)
	return len(parts) < 6 || parts[5] == "*" || parts[5] == scan.Unknown
}

// resourceTypes are those of Bedrock actions that people put beside models.
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
var resourceTypes = map[string]string{
	"bedrock:GetModelCustomizationJob":         "model-customization-job",
	"bedrock:StopModelCustomizationJob":        "model-customization-job",
	"bedrock:GetCustomModel":                   "custom-model",
	"bedrock:DeleteCustomModel":                "custom-model",
	"bedrock:GetInferenceProfile":              "inference-profile",
	"bedrock:GetProvisionedModelThroughput":    "provisioned-model",
	"bedrock:UpdateProvisionedModelThroughput": "provisioned-model",
	"bedrock:DeleteProvisionedModelThroughput": "provisioned-model",
	"bedrock:GetFoundationModel":               "foundation-model",
	"bedrock:GetModelInvocationJob":            "model-invocation-job",
	"bedrock:StopModelInvocationJob":           "model-invocation-job",
	"bedrock:GetGuardrail":                     "guardrail",
	"bedrock:ApplyGuardrail":                   "guardrail",
}

// suits reports whether a resource may be the object of an action.
func suits(action, resource string) bool {
	kind := resourceTypes[action]
	if kind == "" {
		return true
	}
	first, _, _ := strings.Cut(strings.SplitN(resource, ":", 6)[5], "/")
	return first == kind || first == "application-"+kind || strings.Contains(first, scan.Unknown) || strings.ContainsAny(first, "*?")
}

// profiles finds models that are called by inference profiles only, in a
// document that names no profile: the profile's own ARN is asked for as well.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
func profiles(statements []node) (found []scan.Finding) {
	var invoked []node
	for _, s := range statements {
		resources := s.member("Resource").items()
		for _, r := range resources {
			if everything(r) || strings.Contains(r.text, "inference-profile") {
				return nil
			}
		}
		if strings.EqualFold(s.member("Effect").text, "Allow") && slices.ContainsFunc(s.member("Action").items(), invokes) {
			invoked = append(invoked, resources...)
		}
	}
	for _, r := range invoked {
		if _, model, ok := strings.Cut(r.text, ":foundation-model/"); ok && byProfile(model) {
			found = append(found, scan.Finding{
				ID: "TG1205", Confidence: scan.Likely, At: r.at, Why: whyNames,
				Evidence: []scan.Field{{Name: "resource", Value: r.text}, {Name: "reason", Value: "no statement allows an inference profile"}},
			})
		}
	}
	return found
}

func invokes(action node) bool {
	name := strings.ToLower(action.text)
	return name == "bedrock:*" || strings.HasPrefix(name, "bedrock:invokemodel") || name == "bedrock:invoke*"
}

// onDemand are the models of Anthropic that were ever called by their own ids;
// later ones have inference profiles alone.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
var onDemand = []string{
	"anthropic.claude-v2", "anthropic.claude-instant", "anthropic.claude-3-haiku", "anthropic.claude-3-sonnet-20240229",
	"anthropic.claude-3-opus", "anthropic.claude-3-5-sonnet-20240620", "anthropic.claude-3-5-haiku",
}

// byProfile reports whether a model, or every one that a pattern takes in, is
// of Anthropic's and has no on-demand throughput. A name that is filled in
// later is most likely that of a current model, and those have none.
func byProfile(model string) bool {
	if strings.HasPrefix(model, scan.Unknown) {
		return true
	}
	known := strings.HasPrefix(model, "anthropic.claude-") && !strings.HasPrefix(model, "anthropic.claude-*")
	return known && !slices.ContainsFunc(onDemand, func(old string) bool { return strings.HasPrefix(model, old) })
}

// escalates finds the right to take every role that trusts the account.
func escalates(s node) []scan.Finding {
	if !slices.ContainsFunc(s.member("Resource").items(), anyRole) || len(s.member("Condition").members) > 0 {
		return nil
	}
	for _, action := range s.member("Action").items() {
		if name := strings.ToLower(action.text); name == "sts:assumerole" || name == "sts:*" {
			return []scan.Finding{{
				ID: "TG1207", Confidence: scan.Sure, At: action.at, Why: whyNames,
				Evidence: []scan.Field{{Name: "action", Value: action.text}, {Name: "resource", Value: "*"}},
			}}
		}
	}
	return nil
}

func anyRole(r node) bool {
	return r.text == "*" || strings.HasPrefix(r.text, "arn:") && strings.HasSuffix(r.text, ":role/*")
}
