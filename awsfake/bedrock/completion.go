package bedrock

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// A question as chat completions have it.

type completion struct {
	Model         string          `json:"model"`
	Messages      []chatMessage   `json:"messages"`
	MaxTokens     *int            `json:"max_tokens,omitempty"`
	Temperature   *float64        `json:"temperature,omitempty"`
	TopP          *float64        `json:"top_p,omitempty"`
	Stop          []string        `json:"stop,omitempty"`
	Tools         []chatTool      `json:"tools,omitempty"`
	ToolChoice    any             `json:"tool_choice,omitempty"`
	Stream        bool            `json:"stream"`
	StreamOptions map[string]bool `json:"stream_options"`
}

type chatMessage struct {
	Role       string     `json:"role"`
	Content    any        `json:"content"` // a text or parts
	ToolCalls  []chatCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type chatPart struct {
	Type  string     `json:"type"`
	Text  string     `json:"text,omitempty"`
	Image *chatImage `json:"image_url,omitempty"`
}

type chatImage struct {
	URL string `json:"url"`
}

type chatCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function chatFunction `json:"function"`
}

type chatFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type chatTool struct {
	Type     string           `json:"type"`
	Function chatToolFunction `json:"function"`
}

type chatToolFunction struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
}

// completion is the question to a server's model.
func (q question) completion(model string) (completion, error) {
	c := completion{
		Model: model, MaxTokens: q.InferenceConfig.MaxTokens, Temperature: q.InferenceConfig.Temperature,
		TopP: q.InferenceConfig.TopP, Stop: q.InferenceConfig.StopSequences,
		Stream: true, StreamOptions: map[string]bool{"include_usage": true},
	}
	var system []string
	for _, b := range q.System {
		if text, ok := b.text(); ok {
			system = append(system, text)
		}
	}
	if len(system) > 0 {
		c.Messages = append(c.Messages, chatMessage{Role: "system", Content: strings.Join(system, "\n\n")})
	}
	for _, m := range q.Messages {
		messages, err := m.chat()
		if err != nil {
			return completion{}, err
		}
		c.Messages = append(c.Messages, messages...)
	}
	c.addTools(q.ToolConfig)
	return c, nil
}

func (c *completion) addTools(config *toolConfig) {
	if config == nil {
		return
	}
	for _, t := range config.specs() {
		c.Tools = append(c.Tools, chatTool{"function", chatToolFunction{t.Name, t.Description, t.InputSchema.JSON}})
	}
	switch {
	case config.Choice == nil || len(c.Tools) == 0:
	case config.Choice.Any != nil:
		c.ToolChoice = "required"
	case config.forced() != "":
		c.ToolChoice = map[string]any{"type": "function", "function": map[string]string{"name": config.forced()}}
	}
}

// chat is one message as one or more: the result of a tool is a message of its
// own, and comes before what the user adds.
func (m message) chat() ([]chatMessage, error) {
	var results []chatMessage
	var parts []chatPart
	var calls []chatCall
	for _, b := range m.Content {
		switch {
		case b["toolUse"] != nil:
			var t toolUse
			json.Unmarshal(b["toolUse"], &t) // its form has been checked
			calls = append(calls, chatCall{t.ID, "function", chatFunction{t.Name, string(t.Input)}})
		case b["toolResult"] != nil:
			var t toolUse
			json.Unmarshal(b["toolResult"], &t)
			results = append(results, chatMessage{Role: "tool", ToolCallID: t.ID, Content: resultText(b["toolResult"])})
		default:
			part, err := b.part()
			if err != nil {
				return nil, err
			}
			if part != nil {
				parts = append(parts, *part)
			}
		}
	}
	if parts == nil && calls == nil {
		return results, nil
	}
	return append(results, chatMessage{Role: m.Role, Content: asContent(parts), ToolCalls: calls}), nil
}

// asContent is one text where there is nothing but texts: not all servers take
// parts.
func asContent(parts []chatPart) any {
	var texts []string
	for _, p := range parts {
		if p.Image != nil {
			return parts
		}
		texts = append(texts, p.Text)
	}
	return strings.Join(texts, "\n\n")
}

// part is one block, or nil for one that says nothing to another model.
func (b block) part() (*chatPart, error) {
	if text, ok := b.guardText(); ok {
		return &chatPart{Type: "text", Text: text}, nil
	}
	if text, ok := b.text(); ok {
		return &chatPart{Type: "text", Text: text}, nil
	}
	for kind, raw := range b {
		switch kind {
		case "cachePoint", "reasoningContent":
			return nil, nil
		case "image", "document":
			var m media
			json.Unmarshal(raw, &m)
			return m.part(kind)
		}
	}
	return nil, invalid("The model server that answers for Bedrock here takes text, images, plain documents and tools only.")
}

type media struct {
	Format string `json:"format"`
	Name   string `json:"name"`
	Source struct {
		Bytes []byte `json:"bytes"`
		Text  string `json:"text"`
	} `json:"source"`
}

func (m media) part(kind string) (*chatPart, error) {
	if m.Source.Bytes == nil && m.Source.Text == "" {
		return nil, invalid("The model server that answers for Bedrock here takes an " + kind + " by its bytes only.")
	}
	if kind == "image" {
		return &chatPart{Type: "image_url", Image: &chatImage{"data:image/" + m.Format + ";base64," + base64.StdEncoding.EncodeToString(m.Source.Bytes)}}, nil
	}
	switch m.Format {
	case "txt", "md", "csv", "html", "plain", "":
		return &chatPart{Type: "text", Text: m.Name + ":\n" + string(m.Source.Bytes) + m.Source.Text}, nil
	}
	return nil, invalid("The model server that answers for Bedrock here reads documents as txt, md, csv or html only.")
}
