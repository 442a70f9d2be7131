package scan

import (
	"errors"
	"strings"
	"testing"

	"tegata/internal/edit"
)

// A script in a JSON string in a file with a byte order mark, seen through all
// of its layers, and changed there.
func TestTextWithinText(t *testing.T) {
	t.Parallel()
	const data = "\ufeff" + `{"run": "echo \"a\"\ncurl x"}`
	file := File("a.json", Plain, []byte(data))
	quoted := func(s string) (string, error) {
		return strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(s), nil
	}
	b := file.Within()
	for i := strings.Index(file.Body, "echo"); i < len(file.Body)-2; i++ {
		if file.Body[i] != '\\' {
			b.Verbatim(Span{i, i + 1})
			continue
		}
		b.Decoded(Span{i, i + 2}, strings.ReplaceAll(file.Body[i+1:i+2], "n", "\n"))
		i++
	}
	script := b.Text(Shell, Layer{Name: "a JSON string", Encode: quoted}, "run")
	if want := "echo \"a\"\ncurl x"; script.Body != want {
		t.Fatalf("%q, want %q", script.Body, want)
	}
	for _, tt := range []struct{ inner, outer string }{
		{"echo", "echo"}, {`"a"`, `\"a\"`}, {"\ncurl", `\ncurl`}, {"curl x", "curl x"}, {"a", "a"},
	} {
		i := strings.LastIndex(script.Body, tt.inner)
		if tt.inner == "a" {
			i = strings.Index(script.Body, "a")
		}
		at := script.InFile(Span{i, i + len(tt.inner)})
		if got := data[at.Start:at.End]; got != tt.outer {
			t.Errorf("%q stands as %q, want %q", tt.inner, got, tt.outer)
		}
	}
	i := strings.Index(script.Body, "x")
	e, err := script.Edit(Splice{Span{i, i + 1}, "\"y\"\n"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := edit.Apply(data, []edit.Edit{e, e})
	if want := "\ufeff" + `{"run": "echo \"a\"\ncurl \"y\"\n"}`; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestTextFixed(t *testing.T) {
	t.Parallel()
	file := File("a", Plain, []byte("ab %XX cd"))
	b := file.Within()
	b.Verbatim(Span{0, 3})
	b.Decoded(Span{3, 6}, "long")
	b.Made(6, "made")
	b.Verbatim(Span{6, 9})
	plain := Layer{Name: "a line", Encode: func(s string) (string, error) { return s, nil }}
	inner := b.Text(Shell, plain) // "ab longmade cd"
	for _, tt := range []struct {
		at    Span
		fixed bool
		want  string
	}{
		{Span{0, 2}, false, "- %XX cd"},
		{Span{3, 7}, false, "ab - cd"},
		{Span{4, 5}, true, ""},
		{Span{3, 5}, true, ""},
		{Span{7, 9}, true, ""},
		{Span{2, 13}, true, ""},
		{Span{12, 14}, false, "ab %XX -"},
		{Span{14, 14}, false, "ab %XX cd-"},
		{Span{0, 0}, false, "-ab %XX cd"},
	} {
		e, err := inner.Edit(Splice{tt.at, "-"})
		if errors.Is(err, ErrFixed) != tt.fixed {
			t.Errorf("%v: %v", tt.at, err)
		} else if err == nil {
			if got, err := edit.Apply(file.Body, []edit.Edit{e}); got != tt.want || err != nil {
				t.Errorf("%v: %q, %v, want %q", tt.at, got, err, tt.want)
			}
		}
	}
	deep := inner.Within()
	deep.Verbatim(Span{0, 2})
	if _, err := deep.Text(Shell, Layer{Name: "base64"}).Edit(Splice{Span{0, 1}, "-"}); !errors.Is(err, ErrFixed) {
		t.Errorf("in base64: %v", err)
	}
}

// What changes around a text changes with it, once, whatever stands within.
func TestTextAround(t *testing.T) {
	t.Parallel()
	file := File("a", Plain, []byte("run: a b c"))
	same := func(s string) (string, error) { return s, nil }
	b := file.Within()
	b.Verbatim(Span{5, 10})
	command := b.Text(Shell, Layer{Name: "a command", Encode: same, Around: []Splice{{Span{5, 5}, "sh -c '"}, {Span{10, 10}, "'"}}})
	deep := command.Within()
	deep.Verbatim(Span{2, 3})
	var edits []edit.Edit
	for _, s := range []Splice{{Span{0, 0}, "c"}, {Span{1, 1}, "d"}} {
		more, err := deep.Text(Shell, Layer{Name: "a word", Encode: same}).Edits(s)
		if err != nil {
			t.Fatal(err)
		}
		edits = append(edits, more...)
	}
	got, err := edit.Apply(file.Body, edits)
	if want := "run: sh -c 'a cbd c'"; err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestFindTarget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want Target
		none bool
	}{
		{"http://169.254.169.254/latest/meta-data/instance-id", Target{"169.254.169.254", "/latest/meta-data/instance-id", AWS}, false},
		{"169.254.169.254/latest/meta-data/", Target{"169.254.169.254", "/latest/meta-data/", AWS}, false},
		{"http://[fd00:ec2::254]/2016-09-02/x", Target{"fd00:ec2::254", "/2016-09-02/x", AWS}, false},
		{"http://169.254.169.254:80/1.0/", Target{"169.254.169.254", "/1.0/", AWS}, false},
		{"http://instance-data/latest/user-data", Target{"instance-data", "/latest/user-data", AWS}, false},
		{"http://instance-data.ec2.internal/latest", Target{"instance-data.ec2.internal", "/latest", AWS}, false},
		{"http://169.254.169.254", Target{"169.254.169.254", "", Bare}, false},
		{"http://169.254.169.254/{}", Target{"169.254.169.254", "/{}", AWS}, false},
		{"http://169.254.169.254/metadata/instance?api-version=2021-02-01", Target{"169.254.169.254", "/metadata/instance", Other}, false},
		{"http://169.254.169.254/computeMetadata/v1/", Target{"169.254.169.254", "/computeMetadata/v1/", Other}, false},
		{"http://169.254.169.254:8080/latest/", Target{"169.254.169.254", "/latest/", Other}, false},
		{"http://169.254.169.254:80/latest/", Target{"169.254.169.254", "/latest/", AWS}, false},
		{"http://169.254.169.254/openstack/latest/meta_data.json", Target{"169.254.169.254", "/openstack/latest/meta_data.json", Other}, false},
		{"no_proxy=169.254.169.2541", Target{}, true},
		{"1169.254.169.254", Target{}, true},
		{"the instance-data of it", Target{}, true},
		{"instance-data/x", Target{}, true},
		{"instance-data/{}", Target{}, true},
		{"instance-data/latest/user-data", Target{"instance-data", "/latest/user-data", AWS}, false},
		{"http://169.254.169.254//latest/meta-data/", Target{"169.254.169.254", "/latest/meta-data/", AWS}, false},
	} {
		got, ok := FindTarget(tt.text)
		if got != tt.want || ok == tt.none {
			t.Errorf("%s: %+v, %v, want %+v", tt.text, got, ok, tt.want)
		}
	}
}
