package deps

import (
	"cmp"
	"strconv"
	"strings"
)

// newest returns the newest version that a constraint admits, and whether
// there is one: "^2.1.0" admits all that come before 3, so what is installed is
// the latest one.
//
// Sources: https://semver.npmjs.com, https://peps.python.org/pep-0440/#version-specifiers,
// https://guides.rubygems.org/patterns/#declaring-dependencies,
// https://getcomposer.org/doc/articles/versions.md
func (of ecosystem) newest(constraint string) (version string, bounded bool) {
	for _, part := range strings.FieldsFunc(constraint, func(r rune) bool { return r == ',' }) {
		upper, ok := of.upper(strings.TrimSpace(part))
		if ok && (!bounded || compare(upper, version) < 0) {
			version, bounded = upper, true
		}
	}
	return version, bounded && !strings.Contains(constraint, "||")
}

// afterAll is later than every version that was ever counted up to.
const afterAll = "999999"

func (of ecosystem) upper(part string) (string, bool) {
	number := strings.TrimLeft(part, "=<>~!^v ")
	operator := strings.TrimSpace(strings.TrimRight(part[:len(part)-len(number)], "v"))
	if number == "" || number[0] < '0' || number[0] > '9' {
		return "", false
	}
	number, _, _ = strings.Cut(number, " ")
	switch {
	case operator == "", operator == "=", operator == "==", operator == "===":
		return wildcard(number), true
	case operator == "<":
		return before(number), true
	case operator == "<=":
		return number, true
	case operator == "~>", operator == "~=":
		return within(number, strings.Count(number, ".")), true
	case operator == "~" && of == packagist:
		return within(number, strings.Count(number, ".")), true
	case operator == "~":
		return within(number, min(2, strings.Count(number, ".")+1)), true
	case operator == "^":
		return within(number, 1), true
	}
	return "", false
}

// wildcard is the last version of "2.700.x" or "1.9.*", or the version itself.
func wildcard(number string) string {
	parts := strings.Split(number, ".")
	for i, p := range parts {
		if p == "x" || p == "*" || p == "X" {
			return strings.Join(append(parts[:i:i], afterAll), ".")
		}
	}
	return number
}

// within is the last version whose first n numbers are those of number.
func within(number string, n int) string {
	parts := strings.Split(number, ".")
	return strings.Join(append(parts[:min(n, len(parts)):min(n, len(parts))], afterAll), ".")
}

// before is the version just before number.
func before(number string) string {
	parts := strings.Split(number, ".")
	for i := len(parts) - 1; i >= 0; i-- {
		if n, err := strconv.Atoi(parts[i]); err == nil && n > 0 {
			return strings.Join(append(parts[:i:i], strconv.Itoa(n-1), afterAll), ".")
		}
	}
	return number
}

// compare orders versions by their numbers; what is no number counts as none.
func compare(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if c := cmp.Compare(at(as, i), at(bs, i)); c != 0 {
			return c
		}
	}
	return 0
}

func major(version string) int { return at(strings.Split(version, "."), 0) }

func at(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	digits := strings.TrimLeft(parts[i], "v")
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	n, _ := strconv.Atoi(digits)
	return n
}
