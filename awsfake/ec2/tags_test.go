package ec2

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTags(t *testing.T) {
	t.Parallel()
	const create, remove = "Action=CreateTags&ResourceId.1=" + instance, "Action=DeleteTags&ResourceId.1=" + instance
	const ok = "<return>true</return>"
	type tags = map[string]string
	for _, tt := range []struct {
		name, query string
		status      int
		want        string
		tags        tags
	}{
		{"add and change", create + "&Tag.1.Key=Stage&Tag.1.Value=test&Tag.2.Key=Team&Tag.2.Value=red", 200, ok, tags{"Name": "chat", "Team": "red", "Stage": "test"}},
		{"an empty one", create + "&Tag.1.Key=Stage", 200, ok, tags{"Name": "chat", "Team": "blue", "Stage": ""}},
		{"tried", create + "&Tag.1.Key=Stage&DryRun=true", 412, "DryRunOperation: Request would have succeeded, but DryRun flag is set.", tags{"Name": "chat", "Team": "blue"}},
		{"AWS's", create + "&Tag.1.Key=aws:x", 400, "InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use", tags{"Name": "chat", "Team": "blue"}},
		{"no key", create + "&Tag.1.Value=x", 400, "MissingParameter: The request must contain the parameter tagKey", tags{"Name": "chat", "Team": "blue"}},
		{"no tag", create, 400, "MissingParameter: The request must contain the parameter tagSet", tags{"Name": "chat", "Team": "blue"}},
		{"long key", create + "&Tag.1.Key=" + strings.Repeat("k", 128), 400, "InvalidParameterValue: Tag key exceeds the maximum length of 127 characters", tags{"Name": "chat", "Team": "blue"}},
		{"no resource", "Action=CreateTags&Tag.1.Key=a", 400, "MissingParameter: The request must contain the parameter resourceIdSet", tags{"Name": "chat", "Team": "blue"}},
		{"another kind", "Action=CreateTags&ResourceId.1=vol-1&Tag.1.Key=a", 400, "InvalidID: The ID 'vol-1' is not valid", tags{"Name": "chat", "Team": "blue"}},
		{"one of two unknown", create + "&ResourceId.2=i-12345678&Tag.1.Key=a", 400, "InvalidInstanceID.NotFound: The instance ID 'i-12345678' does not exist", tags{"Name": "chat", "Team": "blue"}},
		{"by key", remove + "&Tag.1.Key=Team", 200, ok, tags{"Name": "chat"}},
		{"by value", remove + "&Tag.1.Key=Team&Tag.1.Value=blue", 200, ok, tags{"Name": "chat"}},
		{"by another value", remove + "&Tag.1.Key=Team&Tag.1.Value=", 200, ok, tags{"Name": "chat", "Team": "blue"}},
		{"all", remove, 200, ok, tags{}},
	} {
		l := newLab()
		l.check(t, []exchange{{tt.name, tt.query, tt.status, tt.want}})
		m, _ := l.Metadata(region, instance, start)
		if diff := cmp.Diff(tt.tags, m.Tags); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

func TestTagLimits(t *testing.T) {
	t.Parallel()
	l := newLab()
	query := "Action=CreateTags&ResourceId.1=" + instance
	for n := 1; n <= 48; n++ {
		query += fmt.Sprintf("&Tag.%d.Key=k%d", n, n)
	}
	l.check(t, []exchange{
		{"the 51st", query + "&Tag.49.Key=k49", 400, "TagLimitExceeded: The maximum number of Tags for a resource has been reached."},
		{"50", query, 200, "<return>true</return>"},
		{"one that is there", "Action=CreateTags&Tag.1.Key=k1&Tag.1.Value=v&ResourceId.1=" + instance, 200, "<return>true</return>"},
	})
	l.must(t, modify+"&InstanceMetadataTags=enabled")
	l.must(t, "Action=DeleteTags&ResourceId.1="+instance)
	l.check(t, []exchange{
		{"no path", "Action=CreateTags&Tag.1.Key=a/b&ResourceId.1=" + instance, 400, "…'a/b' is not a valid tag key.…"},
		{"reserved", "Action=CreateTags&Tag.1.Key=_index&ResourceId.1=" + instance, 400, "…'_index' is not a valid tag key.…"},
	})
}

func TestDescribeTags(t *testing.T) {
	t.Parallel()
	item := func(key, value string) string {
		return "<item><resourceId>" + instance + "</resourceId><resourceType>instance</resourceType><key>" + key + "</key><value>" + value + "</value></item>"
	}
	set := func(items ...string) string { return "<tagSet>" + strings.Join(items, "") + "</tagSet>" }
	const call = "Action=DescribeTags&Filter.1.Name="
	newLab().check(t, []exchange{
		{"all", "Action=DescribeTags", 200, set(item("Name", "chat"), item("Team", "blue"))},
		{"by resource", call + "resource-id&Filter.1.Value.1=" + instance, 200, set(item("Name", "chat"), item("Team", "blue"))},
		{"by key", call + "key&Filter.1.Value.1=Name", 200, set(item("Name", "chat"))},
		{"by value", call + "value&Filter.1.Value.1=b*", 200, set(item("Team", "blue"))},
		{"by both", call + "tag:Team&Filter.1.Value.1=blue", 200, set(item("Team", "blue"))},
		{"by type", call + "resource-type&Filter.1.Value.1=volume", 200, set()},
		{"by nothing known", call + "colour&Filter.1.Value.1=volume", 400, "InvalidParameterValue: The filter 'colour' is invalid"},
	})
}
