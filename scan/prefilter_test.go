package scan

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWorthReading(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"a.go", "x 169.254.169.254 y", true},
		{"a.go", "x 169.254.169.25 4", false},
		{"a.go", "http://instance-data/", true},
		{"a.go", "instance data", false},
		{"a.go", "[fd00:ec2::254]", true},
		{"a.go", "[FD00:EC2::254]", true},
		{"a.go", "[fd00::254]", false},
		{"a.go", "9.254.169.254 and 16", false},
		{"a.go", "aws_instance", false},
		{"a.tf", "aws_instance", true},
		{"a.yaml", "  Type: AWS::EC2::LaunchTemplate", true},
		{"a.sh", "aws lambda invoke --payload '{}'", true},
		{"a.go", "--payload", false},
		{"Dockerfile", "aws configure set x y", true},
		{"package.json", `"aws-sdk": "^2"`, true},
		{"package.json", `"left-pad": "1"`, false},
		{"a.yaml", "H4sIAAAA", true},
		{"a.yaml", base64.StdEncoding.EncodeToString([]byte("curl 169.254.169.254/latest")), true},
		{"a.yaml", base64.StdEncoding.EncodeToString([]byte("curl  169.254.169.254/latest")), true},
		{"a.yaml", base64.StdEncoding.EncodeToString([]byte("curl   169.254.169.254/latest")), true},
		{"a.yaml", base64.StdEncoding.EncodeToString([]byte("curl 169.254.170.2/latest")), false},
	} {
		if got := worthReading([]byte(tt.text), classOf(tt.name)); got != tt.want {
			t.Errorf("%s with %q: %v, want %v", tt.name, tt.text, got, tt.want)
		}
	}
}

// A dictionary finds what looking for each word by itself does.
func FuzzDictionary(f *testing.F) {
	words := []string{"he", "she", "his", "hers", "xshex", "aab", "ab"}
	d := newDictionary(words)
	for _, seed := range []string{"ushers", "xsh", "xshe", "aaab", "", "hi s", "xshis", "\xff\x00he"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want := slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
		if got := d.in([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	})
}

// Wherever in a large file a call stands, also across the pieces in which it
// is read, it is found once, and in its place.
func TestLargeFile(t *testing.T) {
	t.Parallel()
	call := v1 + strings.Repeat("x", 90)
	var text bytes.Buffer
	var want []string
	line := 1
	for text.Len() <= maxWhole+chunk {
		text.WriteString(strings.Repeat("é", 20+line%50) + "\n")
		text.WriteString("é" + call + "\n")
		want = append(want, fmt.Sprintf("a.sh:%d:2 TG1001 sure", line+1))
		line += 2
	}
	whole := text.String()
	got, r := found(t, toys(), tree(t, map[string]string{"a.sh": whole}))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, f := range r.Results {
		if at := whole[f.At.Start:f.At.End]; at != call {
			t.Errorf("line %d: %q was found", f.Start.Line, at)
		}
	}
}

// Texts are looked into, for scripts are shipped so; documentation is not.
func TestClassOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]nameClass{
		"boot.txt": program, "user-data.txt": template, "README.md": unread, "a/b.html": unread, "x.png": unread, "run": script, "requirements.txt": manifest,
	} {
		if got := classOf(name); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
}
