package logs

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// A condition is a comparison, or several joined by && and ||.
type condition func(valuesOf) bool

// valuesOf gives what a selector stands for in a message: no value if it is
// not there, many for a wildcard.
type valuesOf func(selector string) []value

// A value is a scalar of JSON, or a field, of which nobody knows the kind.
type value struct {
	text string
	kind valueKind
}

type valueKind int

const (
	unknownValue valueKind = iota
	stringValue
	numberValue
	boolValue
	nullValue
	containerValue // an array or an object, which matches nothing
)

// conditions reads conditions off a text.
type conditions struct {
	text  string
	stop  string            // the bytes that end them
	known func(string) bool // whether a selector is one
	depth int
}

const maxDepth = 50 // of brackets

func (p *conditions) skip() { p.text = strings.TrimLeftFunc(p.text, unicode.IsSpace) }

func (p *conditions) takes(prefix string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.text, prefix)
	if ok {
		p.text = rest
	}
	return ok
}

func (p *conditions) either() (condition, error) {
	left, err := p.both()
	for err == nil && p.takes("||") {
		first := left
		var second condition
		second, err = p.both()
		left = func(v valuesOf) bool { return first(v) || second(v) }
	}
	return left, err
}

func (p *conditions) both() (condition, error) {
	left, err := p.one()
	for err == nil && p.takes("&&") {
		first := left
		var second condition
		second, err = p.one()
		left = func(v valuesOf) bool { return first(v) && second(v) }
	}
	return left, err
}

func (p *conditions) one() (condition, error) {
	if !p.takes("(") {
		return p.comparison()
	}
	if p.depth++; p.depth > maxDepth {
		return nil, errPattern
	}
	inner, err := p.either()
	if err == nil && !p.takes(")") {
		err = errPattern
	}
	p.depth--
	return inner, err
}

// comparison reads $.a = 1, $.a IS NULL, $.a NOT EXISTS, and fields alike.
func (p *conditions) comparison() (condition, error) {
	selector, err := p.selector()
	if err != nil {
		return nil, err
	}
	for word, kind := range map[string]value{"NULL": {"null", nullValue}, "TRUE": {"true", boolValue}, "FALSE": {"false", boolValue}} {
		if p.words("IS", word) {
			return func(v valuesOf) bool { return contains(v(selector), func(one value) bool { return one == kind }) }, nil
		}
	}
	if p.words("NOT", "EXISTS") {
		return func(v valuesOf) bool { return len(v(selector)) == 0 }, nil
	}
	for _, operator := range []string{"!=", ">=", "<=", "=", ">", "<"} {
		if p.takes(operator) {
			want, err := p.operand()
			return func(v valuesOf) bool {
				return contains(v(selector), func(one value) bool { return want.compare(one, operator) })
			}, err
		}
	}
	return nil, errPattern
}

func contains(all []value, good func(value) bool) bool {
	for _, one := range all {
		if good(one) {
			return true
		}
	}
	return false
}

// words takes keywords that follow each other.
func (p *conditions) words(all ...string) bool {
	rest := p.text
	for _, word := range all {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		var ok bool
		if rest, ok = strings.CutPrefix(rest, word); !ok {
			return false
		}
	}
	p.text = rest
	return true
}

// selector is the left side of a comparison.
func (p *conditions) selector() (string, error) {
	p.skip()
	end, quoted := 0, byte(0)
	for ; end < len(p.text); end++ {
		switch c := p.text[end]; {
		case quoted != 0 && c == quoted:
			quoted = 0
		case quoted != 0:
		case c == '\'':
			quoted = c
		default:
			if strings.IndexByte("=!<>()&|"+p.stop, c) >= 0 || unicode.IsSpace(rune(c)) {
				return p.cut(end, false)
			}
		}
	}
	return p.cut(end, quoted != 0)
}

// cut takes a selector of so many bytes.
func (p *conditions) cut(end int, open bool) (string, error) {
	selector := p.text[:end]
	p.text = p.text[end:]
	if open || !p.known(selector) {
		return "", errPattern
	}
	return selector, nil
}

// An operand is the right side of a comparison.
type operand struct {
	text   string
	quoted bool
	number float64
	isNum  bool
	like   *regexp.Regexp // of a text with wildcards, or as it is given
}

func (p *conditions) operand() (operand, error) {
	p.skip()
	var o operand
	var err error
	switch {
	case strings.HasPrefix(p.text, `"`):
		o.quoted = true
		o.text, p.text, err = cutQuoted(p.text)
	case strings.HasPrefix(p.text, "%"):
		o.like, p.text, err = cutRegex(p.text)
		return o, err
	default:
		end := strings.IndexFunc(p.text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("()&|"+p.stop, r) })
		if end < 0 {
			end = len(p.text)
		}
		o.text, p.text = p.text[:end], p.text[end:]
		if o.text == "" {
			return o, errPattern
		}
		o.number, err = strconv.ParseFloat(o.text, 64)
		o.isNum, err = err == nil, nil
	}
	if strings.Contains(o.text, "*") {
		parts := strings.Split(o.text, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		o.like = regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*") + `$`)
	}
	return o, err
}

func (o operand) compare(v value, operator string) bool {
	if v.kind == containerValue {
		return false
	}
	switch operator {
	case "=":
		return o.equals(v)
	case "!=":
		return !o.equals(v)
	}
	have, err := strconv.ParseFloat(v.text, 64)
	if err != nil || !o.isNum || v.kind == stringValue {
		return false
	}
	switch operator {
	case ">":
		return have > o.number
	case "<":
		return have < o.number
	case ">=":
		return have >= o.number
	}
	return have <= o.number
}

func (o operand) equals(v value) bool {
	switch {
	case o.like != nil:
		return o.like.MatchString(v.text)
	case o.isNum && v.kind != stringValue:
		have, err := strconv.ParseFloat(v.text, 64)
		return err == nil && have == o.number
	case o.quoted && v.kind == numberValue:
		return false
	}
	return v.text == o.text
}
