package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tegata/imds"
)

// names are the short names that get understands, and what they stand for.
// A name that is not here is a path below /latest/.
var names = map[string]string{
	"account-id":        "dynamic/instance-identity/document#accountId",
	"ami-id":            "meta-data/ami-id",
	"availability-zone": "meta-data/placement/availability-zone",
	"hostname":          "meta-data/hostname",
	"iam-role":          "meta-data/iam/security-credentials/",
	"identity-document": "dynamic/instance-identity/document",
	"instance-id":       "meta-data/instance-id",
	"instance-type":     "meta-data/instance-type",
	"local-ipv4":        "meta-data/local-ipv4",
	"mac":               "meta-data/mac",
	"public-ipv4":       "meta-data/public-ipv4",
	"region":            "meta-data/placement/region",
	"user-data":         "user-data",
}

func runGet(ctx context.Context, s *session) error {
	fs := s.flags()
	output := oneOf("text", "json")
	fs.Var(output, "o", "")
	fallback := fallbackFlag(fs)
	args, err := s.parse(fs)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usagef("nothing to get; names are %s, and any path such as meta-data/tags/instance/", strings.Join(sortedNames(), ", "))
	}
	client, err := s.imds(ctx, fallback.value)
	if err != nil {
		return err
	}
	defer client.Close()
	defer s.tellVersion(client)
	values := make(map[string]string)
	for _, arg := range args {
		if values[arg], err = get(ctx, client, arg); err != nil {
			return cause(ctx, err)
		}
	}
	if output.value == "json" {
		return s.printJSON(values)
	}
	for _, arg := range args {
		if err := line(s.Stdout, "%s", strings.TrimSuffix(values[arg], "\n")); err != nil {
			return err
		}
	}
	return nil
}

func sortedNames() []string {
	var all []string
	for name := range names {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// get reads one name or path. A name may stand for a member of a JSON
// document, written path#member.
func get(ctx context.Context, client *imds.Client, name string) (string, error) {
	path, ok := names[name]
	if !ok {
		path = name
		if !strings.Contains(name, "/") {
			return "", hintf(usagef("unknown name %q", name), "names are %s, and any path such as meta-data/tags/instance/", strings.Join(sortedNames(), ", "))
		}
	}
	path, member, isMember := strings.Cut(path, "#")
	value, err := client.Get(ctx, path)
	if err != nil || !isMember {
		return value, err
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(value), &document); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	text, ok := document[member].(string)
	if !ok {
		return "", fmt.Errorf("read %s: it has no %s", path, member)
	}
	return text, nil
}

func (s *session) printJSON(v any) error {
	enc := json.NewEncoder(s.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
