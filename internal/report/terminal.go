package report

import (
	"strings"
	"unicode"
)

// Width is how wide paragraphs are set: the usual terminal, and about what an
// eye follows without effort.
const Width = 80

// Wrap breaks a paragraph into lines of at most n columns where it can: after
// spaces, and on either side of a wide character, but never before closing
// punctuation or after an opening bracket. What can't be broken, such as an
// ARN, gets a line of its own, as long as it is.
func Wrap(s string, n int) []string {
	lines := []string{""}
	at := 0
	for _, p := range pieces(s) {
		if at > 0 && at+Columns(strings.TrimRight(p, " ")) > n {
			lines, at = append(lines, ""), 0
		}
		lines[len(lines)-1] += p
		at += Columns(p)
	}
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return lines
}

// pieces cuts s wherever a line may end.
func pieces(s string) []string {
	var all []string
	start, before := 0, rune(0)
	for i, r := range s {
		if i > 0 && mayEnd(before, r) {
			all = append(all, s[start:i])
			start = i
		}
		before = r
	}
	return append(all, s[start:])
}

const (
	opening = "（「『【"
	closing = "、。，．・：；！？）」』】ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ.,:;!?)"
)

// mayEnd reports whether a line may end between two characters.
func mayEnd(before, after rune) bool {
	switch {
	case after == ' ' || strings.ContainsRune(opening, before) || strings.ContainsRune(closing, after):
		return false
	}
	return before == ' ' || isWide(before) || isWide(after)
}

// wide are the scripts whose characters take two columns, and the full-width
// forms and punctuation that go with them.
//
// Source: https://www.unicode.org/reports/tr11/
var wide = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana,
	{R16: []unicode.Range16{{Lo: 0x3000, Hi: 0x30ff, Stride: 1}, {Lo: 0xff01, Hi: 0xff60, Stride: 1}}},
}

func isWide(r rune) bool { return unicode.IsOneOf(wide, r) }

// Columns returns how many columns of a terminal a text takes.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if isWide(r) {
			n++
		}
	}
	return n
}

// pad fills s up to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-Columns(s))) }

// Printable replaces every control and format character of s, which keeps what
// came over the wire from speaking to the terminal.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '\ufffd'
		}
		return r
	}, s)
}
