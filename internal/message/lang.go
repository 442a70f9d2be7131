package message

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Lang is a language that tegata speaks.
type Lang string

const (
	English  Lang = "en"
	Japanese Lang = "ja"
)

// ParseLang reads a language tag or a POSIX locale: "ja", "ja-JP",
// "ja_JP.UTF-8", "en", "C". It reports false for a language that tegata does
// not speak.
func ParseLang(s string) (Lang, bool) {
	tag, _, _ := strings.Cut(strings.ToLower(s), ".")
	tag, _, _ = strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	switch tag {
	case "ja":
		return Japanese, true
	case "en", "c", "posix":
		return English, true
	}
	return English, false
}

// LangFrom picks the language as POSIX does: the first of LC_ALL,
// LC_MESSAGES and LANG that is not empty decides, and English speaks where
// it names a language that we do not.
//
// Source: https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html#tag_08_02
func LangFrom(getenv func(string) string) Lang {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			l, _ := ParseLang(v)
			return l
		}
	}
	return English
}

// Accepted returns the language of ours that an Accept-Language header wants
// most.
//
// Source: https://www.rfc-editor.org/rfc/rfc9110#name-accept-language
func Accepted(header string) (Lang, bool) {
	type choice struct {
		lang    Lang
		quality float64
	}
	var choices []choice
	for part := range strings.SplitSeq(header, ",") {
		tag, parameter, _ := strings.Cut(strings.TrimSpace(part), ";")
		if l, ok := ParseLang(strings.TrimSpace(tag)); ok && quality(parameter) > 0 {
			choices = append(choices, choice{l, quality(parameter)})
		}
	}
	if len(choices) == 0 {
		return English, false
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(b.quality, a.quality) })
	return choices[0].lang, true
}

// quality reads "q=0.8"; 1 when nothing is said, 0 when it can't be read.
func quality(parameter string) float64 {
	parameter = strings.TrimSpace(parameter)
	if parameter == "" {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimPrefix(parameter, "q="), 64)
	if err != nil || q > 1 {
		return 0
	}
	return q
}

//go:embed phrases.json
var phrasesJSON []byte

var phrases = sync.OnceValue(func() map[string]string {
	var ja map[string]string
	if err := json.Unmarshal(phrasesJSON, &ja); err != nil {
		panic(fmt.Sprintf("embedded phrases: %v", err))
	}
	return ja
})

// T says an English phrase in the language, with arguments as for
// [fmt.Sprintf]. The phrase itself is the key into phrases.json, so the code
// stays readable; a test finds every phrase that lacks its translation.
func (l Lang) T(english string, args ...any) string {
	format := english
	if l == Japanese {
		if ja, ok := phrases()[english]; ok {
			format = ja
		}
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}
