package iam

import (
	"embed"
	"path"
	"strings"
	"time"
)

// managed holds AWS's own policies that people attach, by path and name. The
// documents are abridged: they allow what the services on the way to a model
// need, and nothing that AWS's own don't.
//
//go:embed managed
var managed embed.FS

// managedByAWS finds one of AWS's own policies.
func managedByAWS(arn string) (*Policy, bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "iam" || parts[4] != "aws" {
		return nil, false
	}
	at, ok := strings.CutPrefix(parts[5], "policy/")
	if !ok {
		return nil, false
	}
	document, err := managed.ReadFile("managed/" + at + ".json")
	if err != nil {
		return nil, false
	}
	made := time.Date(2015, 2, 6, 18, 40, 0, 0, time.UTC) // when managed policies came to AWS
	folder, name := path.Split("/" + at)
	return &Policy{
		Identity: Identity{Name: name, Path: folder, ARN: arn, ID: seededID(policyPrefix, "aws", name), Created: made},
		Updated:  made, Default: "v1", Made: 1,
		Versions: []Version{{ID: "v1", Document: string(document), Created: made}},
	}, true
}

// allManagedByAWS lists AWS's own policies.
func allManagedByAWS(partition string) []*Policy {
	var all []*Policy
	for _, folder := range []string{"", "service-role/", "job-function/"} {
		entries, _ := managed.ReadDir(strings.TrimSuffix("managed/"+folder, "/")) // all three are embedded
		for _, e := range entries {
			name, ok := strings.CutSuffix(e.Name(), ".json")
			if p, found := managedByAWS("arn:" + partition + ":iam::aws:policy/" + folder + name); ok && found {
				all = append(all, p)
			}
		}
	}
	return all
}

// isAWS reports whether an ARN is that of one of AWS's own policies.
func isAWS(arn string) bool { return strings.Contains(arn, ":iam::aws:policy/") }
