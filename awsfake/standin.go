package awsfake

import (
	"iter"
	"slices"
	"strings"
	"unicode"
)

// An answer is what the stand-in says, token by token.
type answer struct {
	tokens      []string
	stopReason  string // end_turn, max_tokens or stop_sequence
	inputTokens int
}

func (a answer) text() string { return strings.Join(a.tokens, "") }

// usage counts as Bedrock does, in tokens.
func (a answer) usage() map[string]int {
	return map[string]int{
		"inputTokens": a.inputTokens, "outputTokens": len(a.tokens), "totalTokens": a.inputTokens + len(a.tokens),
	}
}

// chunks are the pieces of the text, of n tokens each.
func (a answer) chunks(n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for piece := range slices.Chunk(a.tokens, n) {
			if !yield(strings.Join(piece, "")) {
				return
			}
		}
	}
}

// standIn answers a question put to the model of that id, within the limits
// that the question sets.
func standIn(id string, q question) answer {
	text, stopped := cutAtStop(say(id, q.last()), q.InferenceConfig.StopSequences)
	a := answer{tokens: tokenize(text), stopReason: "end_turn", inputTokens: q.inputTokens()}
	if stopped {
		a.stopReason = "stop_sequence"
	}
	if limit := q.InferenceConfig.MaxTokens; limit != nil && *limit < len(a.tokens) {
		a.tokens, a.stopReason = a.tokens[:*limit], "max_tokens"
	}
	return a
}

// say answers, and tells first of all that no model is speaking.
func say(id, question string) string {
	quote := shorten(strings.Join(strings.Fields(question), " "), 80)
	if isJapanese(question) {
		return "こちらは tegata の代役で、本物のモデルではありません。「" + quote + "」というご質問を " + id +
			" 宛てに受け取りました。署名と権限とモデルの状態は AWS と同じように確かめましたが、AWS には何も送っておらず、料金もかかりません。"
	}
	return "This is tegata's stand-in and not a real model. You asked " + id + ": “" + quote +
		"”. Your signature, your permissions and the state of the model were checked as AWS checks them, " +
		"but nothing was sent to AWS and nothing was billed."
}

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

// cutAtStop ends the text before the first stop sequence in it.
func cutAtStop(text string, stops []string) (cut string, stopped bool) {
	end := len(text)
	for _, stop := range stops {
		if i := strings.Index(text[:end], stop); i >= 0 && stop != "" {
			end, stopped = i, true
		}
	}
	return text[:end], stopped
}

// tokenLetters is how many letters make a token; English prose has about four.
const tokenLetters = 4

// tokenize splits text into pieces of about the size of real tokens: up to
// four letters with the space before them, or one character of Chinese or
// Japanese. The pieces make up the text again.
func tokenize(text string) []string {
	var tokens []string
	start, letters := 0, 0
	for i, r := range text {
		wide := unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han)
		if i > start && (wide || letters >= tokenLetters || unicode.IsSpace(r) && letters > 0) {
			tokens = append(tokens, text[start:i])
			start, letters = i, 0
		}
		switch {
		case wide:
			letters = tokenLetters
		case !unicode.IsSpace(r):
			letters++
		}
	}
	if start < len(text) {
		tokens = append(tokens, text[start:])
	}
	return tokens
}

// mediaTokens is what one image or document costs at most, near Claude's
// figure for a full-sized picture.
const mediaTokens = 1600

// inputTokens counts the whole request: its texts, its other blocks by their
// size, and a few for each turn.
func (q question) inputTokens() int {
	const turn = 3
	count := 0
	for _, b := range q.System {
		count += b.tokens()
	}
	for _, m := range q.Messages {
		count += turn
		for _, b := range m.Content {
			count += b.tokens()
		}
	}
	return count
}

func (b block) tokens() int {
	if text, ok := b.text(); ok {
		return len(tokenize(text))
	}
	size := 0
	for _, raw := range b {
		size += len(raw)
	}
	return min(size/tokenLetters, mediaTokens)
}
