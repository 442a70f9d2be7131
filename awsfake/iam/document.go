package iam

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// malformed is the error of a document with a problem; nil if there is none.
func malformed(problem string) error {
	if problem == "" {
		return nil
	}
	return wire.Refuse("MalformedPolicyDocument", problem)
}

// characters counts those of a document that a quota counts: all but white
// space (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
func characters(document string) int {
	n := 0
	for _, r := range document {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

const (
	syntax    = "Syntax errors in policy."
	notJSON   = "This policy contains invalid Json"
	oldPolicy = "Policy document must be version 2012-10-17 or greater."
)

// parse reads a document, with AWS's words for what can't be read at all.
func parse(document string) (policy.Document, string) {
	parsed, err := policy.Parse([]byte(document))
	switch {
	case err == nil:
		return parsed, ""
	case !json.Valid([]byte(document)):
		return parsed, notJSON
	}
	return parsed, refusalOf(document)
}

// refusalOf finds the words for a document that is JSON, but no policy, from
// what its statements lack.
func refusalOf(document string) string {
	var d struct{ Version string }
	if json.Unmarshal([]byte(document), &d) == nil && d.Version != "" && d.Version != "2012-10-17" && d.Version != "2008-10-17" {
		return oldPolicy
	}
	for _, s := range rawStatements(document) {
		_, action := s["Action"]
		_, notAction := s["NotAction"]
		_, resource := s["Resource"]
		_, notResource := s["NotResource"]
		_, principal := s["Principal"]
		_, notPrincipal := s["NotPrincipal"]
		switch {
		case !action && !notAction:
			return "Policy statement must contain actions."
		case !resource && !notResource && !principal && !notPrincipal:
			return "Policy statement must contain resources."
		}
		for _, a := range texts(s["Action"], s["NotAction"]) {
			if a != "*" && !strings.Contains(a, ":") {
				return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
			}
		}
		for _, r := range texts(s["Resource"], s["NotResource"]) {
			if r != "*" && !strings.HasPrefix(r, "arn:") {
				return "Resource " + r + ` must be in ARN format or "*".`
			}
		}
	}
	return syntax
}

// rawStatements reads the statements of a document that may be none.
func rawStatements(document string) []map[string]json.RawMessage {
	var d struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(document), &d) != nil {
		return nil
	}
	var many []map[string]json.RawMessage
	if json.Unmarshal(d.Statement, &many) == nil {
		return many
	}
	var one map[string]json.RawMessage
	if json.Unmarshal(d.Statement, &one) != nil || one == nil {
		return nil
	}
	return []map[string]json.RawMessage{one}
}

// texts collects texts and lists of them, and passes over all else.
func texts(values ...json.RawMessage) []string {
	var all []string
	for _, v := range values {
		var one string
		var many []string
		if json.Unmarshal(v, &one) == nil {
			all = append(all, one)
		} else if json.Unmarshal(v, &many) == nil {
			all = append(all, many...)
		}
	}
	return all
}

// permissionProblem tells what is wrong with the policy of a user or a role,
// in AWS's words; "" means nothing is.
func permissionProblem(document string) string {
	parsed, problem := parse(document)
	if problem != "" {
		return problem
	}
	for _, s := range parsed.Statements {
		switch {
		case s.Principals != nil || s.NotPrincipals != nil:
			return "Policy document should not specify a principal."
		case s.Resources == nil && s.NotResources == nil:
			return "Policy statement must contain resources."
		case strings.ContainsFunc(s.SID, func(r rune) bool { return !isLetter(r) }):
			return "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
		}
	}
	return vendorProblem(parsed)
}

// vendorProblem looks at the first part of actions, where no wildcard may be.
func vendorProblem(d policy.Document) string {
	for _, s := range d.Statements {
		for _, a := range slices.Concat(s.Actions, s.NotActions) {
			vendor, _, _ := strings.Cut(a, ":")
			if a != "*" && strings.ContainsFunc(vendor, func(r rune) bool { return !isLetter(r) && r != '-' }) {
				return "Vendor " + vendor + " is not valid"
			}
		}
	}
	return ""
}

// trustProblem tells what is wrong with a trust policy, in AWS's words; exists
// tells whether an ARN is that of somebody who may be trusted.
func trustProblem(document string, exists func(arn string) bool) string {
	parsed, problem := parse(document)
	if problem == "Policy statement must contain resources." {
		return "Missing required field Principal"
	}
	if problem != "" {
		return problem
	}
	for _, s := range parsed.Statements {
		switch {
		case s.Resources != nil || s.NotResources != nil:
			return "Has prohibited field Resource"
		case s.Principals == nil && s.NotPrincipals == nil:
			return "Missing required field Principal"
		case slices.ContainsFunc(slices.Concat(s.Actions, s.NotActions), func(a string) bool { return !assumes(a) }):
			return "AssumeRole policy may only specify STS AssumeRole actions."
		}
		if problem := principalProblem(s.Principals, exists); problem != "" {
			return problem
		}
	}
	return ""
}

// assumes reports whether an action belongs into a trust policy.
func assumes(action string) bool {
	switch action := strings.ToLower(action); action {
	case "sts:*", "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:assumeroot",
		"sts:tagsession", "sts:setsourceidentity", "sts:setcontext":
		return true
	default:
		return strings.HasPrefix(action, "sts:assumerole") && strings.HasSuffix(action, "*")
	}
}

// principalProblem looks for a principal that can't be trusted.
func principalProblem(principals map[string][]string, exists func(arn string) bool) string {
	for _, kind := range slices.Sorted(maps.Keys(principals)) {
		for _, p := range principals[kind] {
			switch kind {
			case "AWS":
				if p != "*" && !isAccount(p) && !exists(p) {
					return fmt.Sprintf("Invalid principal in policy: \"AWS\":\"%s\"", p)
				}
			case "Service":
				if !strings.Contains(p, ".amazonaws.com") && !strings.HasSuffix(p, ".amazon.com") || strings.ContainsAny(p, "*?") {
					return fmt.Sprintf("Invalid principal in policy: \"SERVICE\":\"%s\"", p)
				}
			}
		}
	}
	return ""
}

func isAccount(s string) bool {
	return len(s) == 12 && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// principalARN takes account and resource out of the ARN of somebody who may
// be trusted.
func principalARN(arn string) (account, resource string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[3] != "" || !isAccount(parts[4]) {
		return "", "", false
	}
	kind, _, _ := strings.Cut(parts[5], "/")
	switch {
	case parts[2] == "iam" && (kind == "root" || kind == "user" || kind == "role"):
		return parts[4], parts[5], true
	case parts[2] == "sts" && (kind == "assumed-role" || kind == "federated-user"):
		return parts[4], "root", true
	}
	return "", "", false
}
