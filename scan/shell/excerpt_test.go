package shell

import (
	"fmt"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// padding is a script's worth of functions that have nothing to do with the
// metadata service.
func padding(bytes int) string {
	var out strings.Builder
	for i := 0; out.Len() < bytes; i++ {
		fmt.Fprintf(&out, "step_%d() {\n  local seen=$(grep -c x /etc/list%d)\n  cat <<TEXT; echo \"$seen\"\n) ' %d\nTEXT\n}\n", i, i, i)
	}
	return out.String()
}

// An excerpt tells the same, and is mended in the same way, as the part of the
// script that matters.
func TestExcerpt(t *testing.T) {
	t.Parallel()
	before, after := padding(10000), padding(1000)
	for _, tt := range detections {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := strings.ReplaceAll(tt.body, "HOST", host) + "\n"
			if strings.HasPrefix(body, "#!") {
				_, body, _ = strings.Cut(body, "\n")
			}
			part := excerpt(script1(before+body+after), syntax.LangBash)
			if len(part) != len(before+body+after) || strings.Contains(part, "step_") {
				t.Fatalf("%q", part)
			}
			if got, want := changes(script1(part), -len(before)), changes(script1(body), 0); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// changes lists findings and what mends them, moved by a number of bytes.
func changes(t *scan.Text, by int) string {
	var out strings.Builder
	facts := Detect(t)
	for _, f := range facts.Findings {
		fmt.Fprintf(&out, "%s %s at %d", f.ID, f.Confidence, f.At.Start+by)
		for _, s := range f.Fix {
			fmt.Fprintf(&out, ", at %d %q", s.At.Start+by, s.Text)
		}
		out.WriteString("\n")
	}
	for _, inner := range facts.Texts {
		fmt.Fprintf(&out, "%s %q\n", inner.Lang, inner.Body)
	}
	return out.String()
}

// What a call needs to be understood may stand far from it.
func TestDetectFar(t *testing.T) {
	t.Parallel()
	far := padding(longScript / 2)
	for _, tt := range []struct {
		name  string
		parts []string
		want  string
	}{
		{"constants", []string{"P=latest/meta-data\n", "URL=" + host + "/$P\n", "curl -s $URL/instance-id\n"}, "TG1001 likely"},
		{"wrapper", []string{"get() {\n  curl -s \"$1\"\n}\n", "get " + host + "/latest/meta-data/\n"}, "TG1001 likely"},
		{"token", []string{"H=\"X-aws-ec2-metadata-token: x\"\n", "curl -s -H \"$H\" " + host + "/latest/meta-data/\n"}, ""},
		{"traced", []string{"set -x\n", "T=x; curl -s -H \"X-aws-ec2-metadata-token: $T\" " + host + "/latest/meta-data/\n"}, "TG1004 likely"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := script1(strings.Join(tt.parts, far) + far)
			var got []string
			for _, f := range Detect(text).Findings {
				got = append(got, f.ID+" "+string(f.Confidence))
			}
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func BenchmarkDetectLong(b *testing.B) {
	text := script1(padding(4<<20) + "curl -s " + host + "/latest/meta-data/instance-id\n")
	b.SetBytes(int64(len(text.Body)))
	b.ReportAllocs()
	for b.Loop() {
		Detect(text)
	}
}
