package logs

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A pattern chooses events by their messages
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).
type pattern interface {
	// match reports whether a message is chosen, and gives the values that can
	// be taken out of it by their selectors; nil where there are none.
	match(message string) (values func(selector string) (string, bool), ok bool)
}

var errPattern = errors.New("read a filter pattern: it is none")

// parsePattern reads one of the three kinds: in braces on JSON, in brackets on
// fields, otherwise words.
func parsePattern(text string) (pattern, error) {
	text = strings.TrimSpace(text)
	switch {
	case !utf8.ValidString(text):
		return nil, errPattern
	case strings.HasPrefix(text, "{"):
		return parseJSONPattern(text)
	case strings.HasPrefix(text, "["):
		return parseFields(text)
	}
	return parseTerms(text)
}

// terms are words that a message has all of, none of, or, where there are no
// others, any of.
type terms struct{ all, none, any []term }

// A term is a text that occurs as it is written, or a regular expression.
type term struct {
	text  string
	regex *regexp.Regexp
}

func (t term) in(message string) bool {
	if t.regex != nil {
		return t.regex.MatchString(message)
	}
	return strings.Contains(message, t.text)
}

func (t terms) match(message string) (func(string) (string, bool), bool) {
	for _, one := range t.all {
		if !one.in(message) {
			return nil, false
		}
	}
	for _, one := range t.none {
		if one.in(message) {
			return nil, false
		}
	}
	if len(t.any) == 0 || len(t.all) > 0 || len(t.none) > 0 { // beside others, question marks are ignored
		return nil, true
	}
	for _, one := range t.any {
		if one.in(message) {
			return nil, true
		}
	}
	return nil, false
}

func parseTerms(text string) (terms, error) {
	var t terms
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		into := &t.all
		switch text[0] {
		case '?':
			into, text = &t.any, text[1:]
		case '-':
			into, text = &t.none, text[1:]
		}
		one, rest, err := cutTerm(text)
		if err != nil {
			return terms{}, err
		}
		*into = append(*into, one)
		text = rest
	}
	return t, nil
}

// cutTerm takes the first term off a text. Words that are not in quotation
// marks have letters, digits and _ only.
func cutTerm(text string) (one term, rest string, err error) {
	switch {
	case strings.HasPrefix(text, `"`):
		text, rest, err = cutQuoted(text)
		return term{text: text}, rest, err
	case strings.HasPrefix(text, "%"):
		one.regex, rest, err = cutRegex(text)
		return one, rest, err
	}
	end := strings.IndexFunc(text, unicode.IsSpace)
	if end < 0 {
		end = len(text)
	}
	word := text[:end]
	odd := func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	if word == "" || strings.IndexFunc(word, odd) >= 0 {
		return term{}, "", errPattern
	}
	return term{text: word}, text[end:], nil
}

// cutQuoted takes a text in quotation marks, in which \" stands for one.
func cutQuoted(text string) (quoted, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
			b.WriteByte(text[i])
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", errPattern
}

// cutRegex takes a regular expression between percent signs.
func cutRegex(text string) (regex *regexp.Regexp, rest string, err error) {
	end := strings.IndexByte(text[1:], '%')
	if end < 0 {
		return nil, "", errPattern
	}
	regex, err = regexp.Compile(text[1 : end+1])
	if err != nil {
		return nil, "", errPattern
	}
	return regex, text[end+2:], nil
}
