package cron

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/edit"
	"tegata/scan"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"of the system", "SHELL=/bin/sh\n# m h\n*/5 * * * * root a -b\n0 4 1-5 jan,feb mon ec2-user c\n", []string{"a -b", "c"}},
		{"of a user", "0 0 * * * a | b\n", []string{"a | b"}},
		{"at times with names", "@reboot root a\n@daily b c\n", []string{"a", "b c"}},
		{"percent signs", `* * * * * a +\%F\%T%x%y` + "\n", []string{"a +%F%T"}},
		{"filled in", "{} {} * * * {} a {}\n", []string{"a {}"}},
		{"CRLF", "* * * * * a\r\n", []string{"a"}},
		{"too few", "* * * * a\n* * *\n\n", nil},
		{"a comment", "#* * * * * root a\n", nil},
	} {
		var got []string
		for _, text := range Detect(scan.File("crontab", scan.Crontab, []byte(tt.src))).Texts {
			got = append(got, text.Body)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	const src = "* * * * * root a URL | b +\\%F\n"
	text := Detect(scan.File("crontab", scan.Crontab, []byte(src))).Texts[0]
	i := strings.Index(text.Body, "URL")
	e, err := text.Edit(scan.Splice{At: scan.Span{Start: i, End: i}, Text: "%c "})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := edit.Apply(src, []edit.Edit{e}); err != nil || got != "* * * * * root a \\%c URL | b +\\%F\n" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := text.Edit(scan.Splice{At: scan.Span{Start: i, End: i}, Text: "c\n"}); err == nil {
		t.Error("a line is broken")
	}
}

// Every command is a part of its line.
func FuzzDetect(f *testing.F) {
	f.Add("*/5 * * * * root a -b +\\%F%c\n@reboot d\n")
	f.Add("{} {} * * * {} a {}\r\n% % % % % %")
	f.Fuzz(func(t *testing.T, src string) {
		for _, text := range Detect(scan.File("crontab", scan.Crontab, []byte(src))).Texts {
			at := text.InFile(scan.Span{End: len(text.Body)})
			if at.Start < 0 || at.End > len(src) || at.Start > at.End || strings.Contains(src[at.Start:at.End], "\n") {
				t.Errorf("%q at %v", text.Body, at)
			}
		}
	})
}
