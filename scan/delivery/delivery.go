// Package delivery reads how secrets are brought to programs, in Terraform and
// in Kubernetes, and finds what breaks there: an API version that External
// Secrets no longer serves, and a key pair that is kept in two halves.
//
// Start with [Detect]. It reads lines, so that templates are read as well.
package delivery

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// why there is no fix for a pair in two parameters.
const why = "programs that read the two have to change at the same time"

// served is the version of its API that External Secrets serves; it stopped
// serving v1beta1 with 0.17.
//
// Source: https://github.com/external-secrets/external-secrets/issues/4840
const served = "v1"

var patterns = sync.OnceValue(func() (p struct{ beta, resource, half, remote *regexp.Regexp }) {
	p.beta = regexp.MustCompile(`(?m)^[ \t-]*["']?apiVersion["']?[ \t]*:[ \t]*["']?(external-secrets\.io/(v1beta1|v1alpha1))\b`)
	p.resource = regexp.MustCompile(`(?m)^[ \t]*resource[ \t]+"(aws_ssm_parameter|aws_secretsmanager_secret_version)"[ \t]+"([^"]+)"`)
	p.half = regexp.MustCompile(`(?m)^[ \t]*(?:value|value_wo|secret_string|secret_string_wo)[ \t]*=[ \t]*"?(?:\$\{)?aws_iam_access_key\.([\w-]+)(?:\[[^\]]*\])?\.(id|secret|encrypted_secret)\b`)
	return p
})

// Detect finds resources of External Secrets in a version that is no longer
// served (TG1302), and one access key in two parameters (TG1303): who reads them
// while it is replaced gets halves of different keys.
func Detect(t *scan.Text) (facts scan.Facts) {
	p := patterns()
	for _, m := range p.beta.FindAllStringSubmatchIndex(t.Body, -1) {
		version := scan.Span{Start: m[4], End: m[5]}
		facts.Findings = append(facts.Findings, scan.Finding{
			ID: "TG1302", Confidence: scan.Sure, At: scan.Span{Start: m[2], End: m[3]},
			Evidence: []scan.Field{{Name: "version", Value: t.Body[version.Start:version.End]}, {Name: "served", Value: served}},
			Fix:      []scan.Splice{{At: version, Text: served}},
		})
	}
	facts.Findings = append(facts.Findings, halves(t)...)
	return facts
}

// A half is one member of a key pair in a parameter of its own.
type half struct {
	resource string
	at       scan.Span
	secret   bool
}

func halves(t *scan.Text) (found []scan.Finding) {
	p := patterns()
	pairs := map[string][]half{}
	var order []string
	resources := p.resource.FindAllStringSubmatchIndex(t.Body, -1)
	for i, r := range resources {
		end := len(t.Body)
		if i+1 < len(resources) {
			end = resources[i+1][0]
		}
		m := p.half.FindStringSubmatchIndex(t.Body[r[1]:end])
		if m == nil {
			continue
		}
		key := t.Body[r[1]+m[2] : r[1]+m[3]]
		if pairs[key] == nil {
			order = append(order, key)
		}
		start := r[0] + len(t.Body[r[0]:r[1]]) - len(strings.TrimLeft(t.Body[r[0]:r[1]], " \t\r\n"))
		pairs[key] = append(pairs[key], half{
			resource: t.Body[r[2]:r[3]] + "." + t.Body[r[4]:r[5]],
			at:       scan.Span{Start: start, End: r[1]},
			secret:   t.Body[r[1]+m[4]:r[1]+m[5]] != "id",
		})
	}
	for _, key := range order {
		id, secret := parts(pairs[key])
		if id == nil || secret == nil {
			continue
		}
		found = append(found, scan.Finding{
			ID: "TG1303", Confidence: scan.Sure, At: secret.at, Why: why,
			Evidence: []scan.Field{{Name: "key", Value: "aws_iam_access_key." + key}, {Name: "id", Value: id.resource}, {Name: "secret", Value: secret.resource}},
		})
	}
	return found
}

func parts(pair []half) (id, secret *half) {
	for i := range pair {
		if pair[i].secret {
			secret = &pair[i]
		} else {
			id = &pair[i]
		}
	}
	return id, secret
}
