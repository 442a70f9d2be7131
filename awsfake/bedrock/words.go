package bedrock

import (
	"embed"
	"strings"
	"unicode"
)

// What the stand-in says: Markdown with one of everything that a page has to
// set, in the language of the question. {model}, {question}, {tool} and
// {result} are filled in.
//
//go:embed words
var words embed.FS

// say answers the newest message, and tells first of all that no model is
// speaking; only what it is asked to repeat comes back as it is.
func (q question) say(id string, asksFor *toolUse) string {
	text := q.last()
	if repeated, ok := afterMe(text); ok {
		return repeated
	}
	results := q.results()
	var name string
	switch {
	case len(results) > 0:
		name = "result"
	case asksFor != nil:
		name = "tool"
	case asksForMore(text):
		name = "long"
	default:
		name = "short"
	}
	fields := []string{
		"{model}", id,
		"{question}", shorten(strings.Join(strings.Fields(text), " "), 80),
		"{result}", asQuote(shorten(strings.Join(results, "\n"), 2000)),
	}
	if asksFor != nil {
		fields = append(fields, "{tool}", asksFor.Name)
	}
	return strings.NewReplacer(fields...).Replace(phrase(name, text))
}

// phrase reads one of the files. They are few, and a test reads them all.
func phrase(name, question string) string {
	language := "en"
	if isJapanese(question) {
		language = "ja"
	}
	text, err := words.ReadFile("words/" + name + "." + language + ".md")
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(text))
}

// afterMe returns what a question asks to have repeated, word for word.
func afterMe(question string) (string, bool) {
	start := strings.TrimLeft(question, " \t\n")
	for _, prefix := range []string{"repeat after me:", "復唱:", "復唱："} {
		if len(start) > len(prefix) && strings.EqualFold(start[:len(prefix)], prefix) {
			rest := strings.TrimLeft(start[len(prefix):], " ")
			return strings.TrimPrefix(rest, "\n"), true
		}
	}
	return "", false
}

// asksForMore reports whether a long answer is wanted.
func asksForMore(question string) bool {
	return strings.Contains(strings.ToLower(question), "at length") || strings.Contains(question, "長く")
}

// asQuote sets a text as a quotation of Markdown.
func asQuote(text string) string { return "> " + strings.ReplaceAll(text, "\n", "\n> ") }

// shorten keeps at most n characters.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func isJapanese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han)
	})
}
