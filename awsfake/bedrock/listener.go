package bedrock

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"

	"tegata/awsfake/wire"
)

// A listener hears a stream of chat completions, and says it on as pieces.
type listener struct {
	say   func(piece) error
	stops bool // the question has stop sequences

	tool    chatDeltaCall // the one that is being written
	inTool  bool
	written bool // something of its input
	output  int  // tokens, as the stand-in counts them
	called  bool // a tool was asked for
	finish  string
	stop    string
	usage   *chatUsage
}

type chatChunk struct {
	Choices []struct {
		Delta struct {
			Content   string          `json:"content"`
			ToolCalls []chatDeltaCall `json:"tool_calls"`
		} `json:"delta"`
		Finish string          `json:"finish_reason"`
		Stop   json.RawMessage `json:"stop_reason"` // vLLM's: the sequence, or a token's number
	} `json:"choices"`
	Usage *chatUsage      `json:"usage"`
	Error json.RawMessage `json:"error"`
}

type chatDeltaCall struct {
	Index    int          `json:"index"`
	ID       string       `json:"id"`
	Function chatFunction `json:"function"`
}

type chatUsage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Details    struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// A brokenStream is a stream that isn't what it should be.
type brokenStream struct{ why string }

func (b *brokenStream) Error() string { return b.why }

// maxLine bounds one event: a tool's whole input may be in it.
const maxLine = 4 << 20

// hear reads the events up to the last, and wants the answer to have ended.
func (l *listener) hear(body io.Reader) error {
	if err := l.say(piece{}); err != nil {
		return err
	}
	lines := bufio.NewScanner(body)
	lines.Buffer(make([]byte, 0, 4<<10), maxLine)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:"))
		if !ok {
			continue // a comment, or the name of an event
		}
		if data = bytes.TrimSpace(data); string(data) == "[DONE]" {
			break
		}
		if err := l.chunk(data); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(lines.Err(), bufio.ErrTooLong):
		return &brokenStream{"sent an event that is too long."}
	case lines.Err() != nil || l.finish == "":
		return &brokenStream{"broke off in the middle of its answer. Look at its log."}
	}
	return l.endTool()
}

func (l *listener) chunk(data []byte) error {
	var c chatChunk
	if json.Unmarshal(data, &c) != nil {
		return &brokenStream{"sent what is no chunk of a chat completion."}
	}
	if len(c.Error) > 0 && string(c.Error) != "null" {
		return &brokenStream{"failed in the middle of its answer: " + cmp.Or(toldError(bytes.NewReader(data)), "no reason given")}
	}
	if c.Usage != nil {
		l.usage = c.Usage
	}
	if len(c.Choices) == 0 {
		return nil
	}
	choice := c.Choices[0]
	if choice.Finish != "" {
		l.finish = choice.Finish
		json.Unmarshal(choice.Stop, &l.stop) // a number is none of our sequences
	}
	if choice.Delta.Content != "" {
		if err := l.text(choice.Delta.Content); err != nil {
			return err
		}
	}
	for _, call := range choice.Delta.ToolCalls {
		if err := l.call(call); err != nil {
			return err
		}
	}
	return nil
}

func (l *listener) text(text string) error {
	if err := l.endTool(); err != nil {
		return err
	}
	return l.tell(piece{text: text})
}

func (l *listener) tell(p piece) error {
	l.output += len(tokenize(p.text)) + len(tokenize(p.input))
	return l.say(p)
}

// call takes a part of a tool's call. Servers begin another with another index
// or, as Ollama did, with another id alone.
func (l *listener) call(part chatDeltaCall) error {
	if !l.inTool || part.Index != l.tool.Index || part.ID != "" && part.ID != l.tool.ID {
		if err := l.endTool(); err != nil {
			return err
		}
		l.tool, l.inTool, l.written, l.called = part, true, false, true
		l.tool.ID = cmp.Or(part.ID, "call_"+wire.UUID())
		if err := l.tell(piece{tool: &toolUse{ID: l.tool.ID, Name: part.Function.Name}}); err != nil {
			return err
		}
	}
	if part.Function.Arguments == "" {
		return nil
	}
	l.written = true
	return l.tell(piece{input: part.Function.Arguments})
}

// endTool leaves no input that isn't JSON where a model wrote none.
func (l *listener) endTool() error {
	if l.inTool && !l.written {
		l.inTool = false
		return l.tell(piece{input: "{}"})
	}
	l.inTool = false
	return nil
}

// ending words how it ended. A server that doesn't count is counted for.
func (l *listener) ending(q question) ending {
	e := ending{reason: "end_turn", usage: usage{input: q.inputTokens(), output: l.output}}
	if u := l.usage; u != nil && u.Prompt+u.Completion > 0 {
		cached := min(u.Details.Cached, u.Prompt)
		e.usage = usage{input: u.Prompt - cached, output: u.Completion, cacheRead: cached}
	}
	switch {
	case l.finish == "length":
		e.reason = "max_tokens"
	case l.finish == "content_filter":
		e.reason = "content_filtered"
	case l.called:
		e.reason = "tool_use"
	case l.stops && l.stop != "":
		e.reason, e.stop = "stop_sequence", l.stop
	}
	return e
}
