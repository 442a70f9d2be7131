package ssm

import (
	"strings"
	"testing"
)

func TestParseSelector(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want selector
		ok   bool
	}{
		{"/a/b", selector{name: "/a/b"}, true},
		{"word", selector{name: "word"}, true},
		{"/a:3", selector{name: "/a", selected: ":3", version: 3}, true},
		{"/a:prod", selector{name: "/a", selected: ":prod", label: "prod"}, true},
		{"/a:", selector{name: "/a", selected: ":"}, true},
		{"a/b", selector{}, false},
		{"/a//b", selector{}, false},
		{"/a/", selector{}, false},
		{"/SSM/b", selector{}, false},
		{"", selector{}, false},
		{"/ä", selector{}, false},
	} {
		if got, err := parseSelector(tt.in); got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q: got %+v, %v; want %+v", tt.in, got, err, tt.want)
		}
	}
}

// A selector holds all that it was read from, and a name that may be written
// can be read.
func FuzzParseSelector(f *testing.F) {
	for _, seed := range []string{"/a/b", "word", "/a:3", "/a:prod", "a/b", "/SSM/b", ":", "/a:0003"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		sel, err := parseSelector(in)
		if err == nil && sel.name+sel.selected != in {
			t.Errorf("%q is read as %+v", in, sel)
		}
		if err != nil && checkNew(in) == nil {
			t.Errorf("%q may be written, but not read: %v", in, err)
		}
		if err == nil && strings.ContainsAny(sel.name, ": ") {
			t.Errorf("%q has the name %q", in, sel.name)
		}
	})
}
