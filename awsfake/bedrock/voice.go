package bedrock

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// A voice is what answers a question: the stand-in, or a model behind another
// server.
type voice interface {
	// speak calls say with each piece of the answer as it comes. What say
	// returns ends it. The ending tells what was used even if there is an error.
	speak(ctx context.Context, q question, say func(piece) error) (ending, error)
}

// A piece is a little of an answer: of its text, or of a wish to have a tool
// called, which begins with the tool and goes on with its input. A piece
// without anything says that an answer has begun.
type piece struct {
	text  string
	tool  *toolUse // a wish begins: its ID and Name
	input string   // more of that tool's input, which is no JSON by itself
}

// An ending is how an answer ended.
type ending struct {
	reason string // end_turn, max_tokens, stop_sequence, tool_use or guardrail_intervened
	stop   string // the sequence that stopped it
	usage  usage
	guard  *verdicts // nil: no guardrail was asked
}

// A usage is counted in tokens. The cached ones are not among the input.
type usage struct{ input, output, cacheRead, cacheWrite int }

func (u usage) total() int { return u.input + u.output + u.cacheRead + u.cacheWrite }

// A reply is an answer in one piece.
type reply struct {
	text  string
	tools []toolUse
	ending
}

// collect lets a voice speak to its end.
func collect(speak func(say func(piece) error) (ending, error)) (reply, error) {
	var r reply
	var text, input strings.Builder
	finish := func() {
		if n := len(r.tools); n > 0 && r.tools[n-1].Input == nil {
			r.tools[n-1].Input = objectOr(input.String())
			input.Reset()
		}
	}
	var err error
	r.ending, err = speak(func(p piece) error {
		if p.tool != nil {
			finish()
			r.tools = append(r.tools, toolUse{ID: p.tool.ID, Name: p.tool.Name})
		}
		text.WriteString(p.text)
		input.WriteString(p.input)
		return nil
	})
	finish()
	r.text = text.String()
	return r, err
}

// objectOr returns a tool's input, or an empty one where a model wrote none
// that is an object.
func objectOr(text string) json.RawMessage {
	if !isObject(json.RawMessage(text)) {
		return json.RawMessage("{}")
	}
	return json.RawMessage(text)
}

// A standInVoice is the stand-in at its pace.
type standInVoice struct {
	model string // as it names itself
	pace  time.Duration
}

func (v standInVoice) speak(ctx context.Context, q question, say func(piece) error) (ending, error) {
	a := standIn(v.model, q)
	said := &saying{say: say, ctx: ctx, pace: v.pace}
	said.now(piece{})
	for text := range pieces(a.tokens, chunkTokens) {
		said.paced(piece{text: text})
	}
	if a.tool != nil {
		said.now(piece{tool: a.tool})
		for input := range pieces(a.toolTokens(), chunkTokens) {
			said.paced(piece{input: input})
		}
	}
	e := ending{reason: a.stopReason, stop: a.stop, usage: usage{input: a.inputTokens, output: len(a.tokens) + len(a.toolTokens())}}
	if said.err != nil {
		e.usage.output = said.output
	}
	return e, said.err
}

// A saying stops at the first error.
type saying struct {
	say    func(piece) error
	ctx    context.Context
	pace   time.Duration
	output int // tokens that have been said
	err    error
}

func (s *saying) now(p piece) {
	if s.err != nil {
		return
	}
	if s.err = s.say(p); s.err == nil {
		s.output += len(tokenize(p.text)) + len(tokenize(p.input))
	}
}

func (s *saying) paced(p piece) {
	if s.err == nil && s.pace > 0 && !sleep(s.ctx, s.pace) {
		s.err = s.ctx.Err()
	}
	s.now(p)
}

// usageOf is Converse's own spelling.
func usageOf(u usage) map[string]int {
	m := map[string]int{"inputTokens": u.input, "outputTokens": u.output, "totalTokens": u.total()}
	if u.cacheRead+u.cacheWrite > 0 {
		m["cacheReadInputTokens"], m["cacheWriteInputTokens"] = u.cacheRead, u.cacheWrite
	}
	return m
}
