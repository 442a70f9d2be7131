package cli

import (
	"slices"
	"strings"
	"testing"

	"tegata/internal/message"
)

// The long options of ec2-metadata 0.1.5 in Amazon Linux 2023 and of
// ec2metadata in Debian's cloud-guest-utils 0.33, less those that are no
// metadata: all, help, path, quiet, url.
const knownElsewhere = `ami-id ami-launch-index ami-manifest-path ancestor-ami-ids aws-domain block-device-mapping
	instance-id instance-type local-hostname local-ipv4 kernel-id availability-zone availability-zone-id
	partition product-codes public-hostname public-ipv4 public-keys ramdisk-id reservation-id security-groups user-data tags region
	group-name host-id partition-number mac profile instance-action`

func TestNamesThatPeopleKnow(t *testing.T) {
	names := fieldNames()
	for _, name := range strings.Fields(knownElsewhere) {
		if !slices.Contains(names, name) {
			t.Errorf("%s has no name here", name)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(names)) != len(fields) {
		t.Errorf("the names are not in order, or not unique: %q", names)
	}
	for _, lang := range []message.Lang{message.English, message.Japanese} {
		help, err := helpText(lang, "get")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if !slices.Contains(strings.Fields(help), name) {
				t.Errorf("%s is not in the help in %s", name, lang)
			}
		}
	}
}

func TestFieldOf(t *testing.T) {
	for _, tt := range []struct{ arg, path, member string }{
		{"instance-id", "meta-data/instance-id", ""},
		{"aws-domain", "meta-data/services/domain", ""},
		{"account-id", documentPath, "accountId"},
		{"meta-data", "meta-data", ""},
		{"/meta-data/mac", "/meta-data/mac", ""},
		{"meta-data/tags/instance/", "meta-data/tags/instance/", ""},
		{"dynamic/instance-identity/pkcs7", "dynamic/instance-identity/pkcs7", ""},
		{"/latest/meta-data/mac", "/latest/meta-data/mac", ""},
		{"2009-04-04/user-data", "2009-04-04/user-data", ""},
		{"1.0", "1.0", ""},
		{"latest", "latest", ""},
		{"/", "/", ""},
		{"//", "/", ""},
		{"api/token", "api/token", ""},
		{"placement/region", "meta-data/placement/region", ""},
		{"/iam/info", "meta-data/iam/info", ""},
		{"iam/info#InstanceProfileArn", "meta-data/iam/info", "InstanceProfileArn"},
		{documentPath + "#accountId", documentPath, "accountId"},
		{"metrics/vhostmd", "meta-data/metrics/vhostmd", ""},
		{"2009-13-04/user-data", "meta-data/2009-13-04/user-data", ""},
	} {
		got, err := fieldOf(tt.arg)
		if err != nil || got.path != tt.path || got.member != tt.member || got.name != tt.arg {
			t.Errorf("%q: %+v (%v), want path %q and member %q", tt.arg, got, err, tt.path, tt.member)
		}
	}
}

func TestFieldOfNothing(t *testing.T) {
	s := &session{lang: message.English}
	for _, tt := range []struct{ arg, want, hint string }{
		{"instnce-id", `unknown name "instnce-id"`, "did you mean instance-id?"},
		{"INSTANCE-ID", `unknown name "INSTANCE-ID"`, "did you mean instance-id?"},
		{"public-ipv6", `unknown name "public-ipv6"`, "did you mean public-ipv4?"},
		{"ramdsk-id", `unknown name "ramdsk-id"`, "did you mean ramdisk-id?"},
		{"", `unknown name ""`, "names are account-id, ami-id,"},
		{"no-such-thing", `unknown name "no-such-thing"`, "names are account-id, ami-id,"},
		{"metadata/instance-id", `unknown path "metadata/instance-id"`, "did you mean meta-data/instance-id?"},
		{"/dynmic/x/y", `unknown path "/dynmic/x/y"`, "did you mean dynamic/x/y?"},
		{"http://169.254.169.254/latest/meta-data/mac", `"http://169.254.169.254/latest/meta-data/mac" is an address, not a path`, "type the path alone"},
	} {
		_, err := fieldOf(tt.arg)
		if err == nil || err.Error() != tt.want || !strings.HasPrefix(s.hint(err), tt.hint) {
			t.Errorf("%q: %v, hint %q", tt.arg, err, s.hint(err))
		}
	}
}

// Whatever an argument leads to lies in one of the branches, or is a list of
// them, and leads to the same when it is typed again.
func FuzzFieldOf(f *testing.F) {
	for _, seed := range []string{"instance-id", "/", "//x", "a/b#c", "latest//meta-data", "1.0", "2009-04-04/x", "#", "a#b#c", "/latest", "http://x", "api/", "metadata/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		got, err := fieldOf(arg)
		if err != nil {
			return
		}
		version, rest := cutVersion(got.path)
		first, _, _ := strings.Cut(rest, "/")
		if version == "" && got.path != "/" && !isBranch(first) {
			t.Errorf("%q: path %q", arg, got.path)
		}
		if again, err := fieldOf(got.path); err != nil || again.path != got.path {
			t.Errorf("%q: %q leads to %q (%v)", arg, got.path, again.path, err)
		}
	})
}

func TestAbsencesHaveJapanese(t *testing.T) {
	for _, a := range absences {
		if message.Japanese.T(a.phrase) == a.phrase {
			t.Errorf("%s: no Japanese for %q", a.path, a.phrase)
		}
	}
}
