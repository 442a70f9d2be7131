package ec2

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var likenesses = []struct {
	pattern, value string
	want           bool
}{
	{"", "", true},
	{"", "a", false},
	{"a", "", false},
	{"*", "", true},
	{"**", "ab", true},
	{"a*c", "abbc", true},
	{"a*c", "abcb", false},
	{"a*bc*d", "abcbcd", true},
	{"?", "名", true},
	{"?", "", false},
	{`\*`, "*", true},
	{`\*`, "a", false},
	{`a\?`, "ab", false},
	{`\\`, `\`, true},
	{`a\`, `a\`, true},
	{`*\*`, "ab*", true},
	{"A", "a", false},
}

func TestLike(t *testing.T) {
	t.Parallel()
	for _, tt := range likenesses {
		if got := like(tt.pattern, tt.value); got != tt.want {
			t.Errorf("%q like %q: %v", tt.value, tt.pattern, got)
		}
	}
	if like(strings.Repeat("*a", 500)+"b", strings.Repeat("a", 5000)) {
		t.Error("a long text is like a long pattern that it does not fit")
	}
}

// A pattern means what the same one means as a regular expression.
func FuzzLike(f *testing.F) {
	for _, tt := range likenesses {
		f.Add(tt.pattern, tt.value)
	}
	f.Fuzz(func(t *testing.T, pattern, value string) {
		if !utf8.ValidString(pattern) || !utf8.ValidString(value) || len(pattern) > 200 {
			t.Skip()
		}
		if got, want := like(pattern, value), expression(pattern).MatchString(value); got != want {
			t.Errorf("%q like %q: %v, want %v", value, pattern, got, want)
		}
	})
}

func expression(pattern string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	runes := []rune(pattern)
	for n := 0; n < len(runes); n++ {
		switch {
		case runes[n] == '*':
			b.WriteString(".*")
		case runes[n] == '?':
			b.WriteString(".")
		case runes[n] == '\\' && n+1 < len(runes):
			n++
			b.WriteString(regexp.QuoteMeta(string(runes[n])))
		default:
			b.WriteString(regexp.QuoteMeta(string(runes[n])))
		}
	}
	return regexp.MustCompile(b.String() + "$")
}
