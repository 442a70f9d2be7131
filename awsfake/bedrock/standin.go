package bedrock

import (
	"iter"
	"slices"
	"strings"
	"unicode"
)

// An answer is what the stand-in says, token by token, and the tool that it
// asks for at the end.
type answer struct {
	tokens      []string
	tool        *toolUse // nil for none
	stopReason  string   // end_turn, max_tokens, stop_sequence or tool_use
	stop        string   // the sequence that stopped it
	inputTokens int
}

func (a answer) text() string { return strings.Join(a.tokens, "") }

// toolTokens are the pieces of what the tool is given.
func (a answer) toolTokens() []string {
	if a.tool == nil {
		return nil
	}
	return tokenize(string(a.tool.Input))
}

// pieces joins tokens by n.
func pieces(tokens []string, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for piece := range slices.Chunk(tokens, n) {
			if !yield(strings.Join(piece, "")) {
				return
			}
		}
	}
}

// standIn answers a question put to the model of that id, within the limits
// that the question sets.
func standIn(id string, q question) answer {
	a := answer{stopReason: "end_turn", inputTokens: q.inputTokens()}
	if t, ok := q.pick(); ok {
		a.tool, a.stopReason = t.use(q.last()), "tool_use"
	}
	if a.tool == nil || !q.mustAsk() {
		text, stop := cutAtStop(q.say(id, a.tool), q.InferenceConfig.StopSequences)
		a.tokens = tokenize(text)
		if stop != "" {
			a.tool, a.stopReason, a.stop = nil, "stop_sequence", stop
		}
	}
	return a.within(q.InferenceConfig.MaxTokens)
}

// within cuts the answer to a number of tokens. A tool is asked for in whole
// or not at all.
func (a answer) within(limit *int) answer {
	if limit == nil || len(a.tokens)+len(a.toolTokens()) <= *limit {
		return a
	}
	a.tokens, a.tool, a.stopReason, a.stop = a.tokens[:min(*limit, len(a.tokens))], nil, "max_tokens", ""
	return a
}

// cutAtStop ends the text before the first stop sequence in it, and tells
// which one that is.
func cutAtStop(text string, stops []string) (cut, stop string) {
	end := len(text)
	for _, s := range stops {
		if i := strings.Index(text[:end], s); i >= 0 && s != "" {
			end, stop = i, s
		}
	}
	return text[:end], stop
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

// inputTokens counts the whole request: its texts, its other blocks and its
// tools by their size, and a few for each turn.
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
	if q.ToolConfig != nil {
		for _, t := range q.ToolConfig.specs() {
			count += (len(t.Name) + len(t.Description) + len(t.InputSchema.JSON)) / tokenLetters
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
