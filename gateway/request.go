package gateway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"tegata/bedrock"
)

// maxStops is how many stop sequences OpenAI's API allows.
const maxStops = 4

// parse reads the body of a request for an answer.
func parse(body []byte) (chatRequest, error) {
	var r chatRequest
	err := json.Unmarshal(body, &r)
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return r, badField(t.Field, "this field can't be a JSON %s", t.Value)
	}
	if err != nil {
		return r, badField("", "the body is not JSON: %v", err)
	}
	return r, r.check()
}

// check refuses what would silently mean something else on Bedrock.
func (r chatRequest) check() error {
	switch {
	case r.N != nil && *r.N != 1:
		return badField("n", "Bedrock gives one answer at a time: n must be 1")
	case r.ResponseFormat.Type != "" && r.ResponseFormat.Type != "text":
		return badField("response_format", "Bedrock's Converse has no such format; give a tool with your schema and require it by tool_choice")
	case len(r.Functions) > 0 && string(r.Functions) != "null":
		return badField("functions", "functions have become tools; send them as tools")
	case len(r.Stop) > maxStops:
		return badField("stop", "at most 4 stop sequences")
	case outside(r.Temperature):
		return badField("temperature", "Bedrock takes values from 0 to 1")
	case outside(r.TopP):
		return badField("top_p", "Bedrock takes values from 0 to 1")
	}
	for name, n := range map[string]*int{"max_tokens": r.MaxTokens, "max_completion_tokens": r.MaxCompletionTokens} {
		if n != nil && (*n < 1 || *n > math.MaxInt32) {
			return badField(name, "this must be a number of tokens, 1 or more")
		}
	}
	return nil
}

func outside(v *float64) bool { return v != nil && (*v < 0 || *v > 1) }

// converse says the request in Bedrock's words, all but the model.
func (r chatRequest) converse(maxTokens int) (bedrock.Request, error) {
	q := bedrock.Request{MaxTokens: maxTokens, Temperature: r.Temperature, TopP: r.TopP, Stop: r.Stop}
	// Newer models of Anthropic refuse a request with both. Clients that always
	// send both send a top_p of 1, which is none.
	// See https://github.com/aws-samples/bedrock-access-gateway/issues/191.
	if r.TopP != nil && *r.TopP == 1 {
		q.TopP = nil
	}
	for _, n := range []*int{r.MaxTokens, r.MaxCompletionTokens} {
		if n != nil {
			q.MaxTokens = *n
		}
	}
	var err error
	if q.System, q.Messages, err = turns(r.Messages); err != nil {
		return q, err
	}
	q.Tools, q.ToolChoice, err = r.tools()
	return q, err
}

// turns takes the instructions out of the messages, wherever they stand, since
// Bedrock has one place for them, and says the rest in Bedrock's words.
func turns(messages []chatMessage) (system string, turns []bedrock.Message, err error) {
	var instructions []string
	results := -1 // where the results of the last message's tools are gathered
	for i, m := range messages {
		at := func(field string) string { return "messages." + strconv.Itoa(i) + "." + field }
		if m.Role != "tool" {
			results = -1
		}
		switch m.Role {
		case "system", "developer":
			s, err := m.Content.onlyText(at("content"))
			if err != nil {
				return "", nil, err
			}
			instructions = append(instructions, s)
			continue
		case "user":
			turns, err = appendTurn(turns, bedrock.User, m, at)
		case "assistant":
			turns, err = appendTurn(turns, bedrock.Assistant, m, at)
		case "tool":
			if results < 0 {
				results = len(turns)
				turns = append(turns, bedrock.Message{Role: bedrock.User})
			}
			err = m.addResult(&turns[results], at)
		default:
			err = badField(at("role"), "%s is no role that this API knows", quote(m.Role))
		}
		if err != nil {
			return "", nil, err
		}
	}
	if len(turns) == 0 {
		return "", nil, badField("messages", "at least one message of a user is needed")
	}
	return strings.Join(instructions, "\n\n"), turns, nil
}

// appendTurn adds the message unless there is nothing in it.
func appendTurn(turns []bedrock.Message, role bedrock.Role, m chatMessage, at func(string) string) ([]bedrock.Message, error) {
	blocks, err := m.Content.blocks(at("content"))
	if err != nil {
		return nil, err
	}
	for _, call := range m.ToolCalls {
		blocks = append(blocks, bedrock.ToolUse{ID: call.ID, Name: call.Function.Name, Input: inputOf(call.Function.Arguments)})
	}
	if len(blocks) == 0 {
		return turns, nil
	}
	return append(turns, bedrock.Message{Role: role, Blocks: blocks}), nil
}

// inputOf returns the arguments of a call as an object, which Bedrock insists
// on. What a model has written wrongly goes back to it as the text that it is,
// or the conversation could never go on.
func inputOf(arguments string) json.RawMessage {
	var object map[string]json.RawMessage
	switch {
	case strings.TrimSpace(arguments) == "":
		return json.RawMessage("{}")
	case json.Unmarshal([]byte(arguments), &object) == nil && object != nil:
		return json.RawMessage(arguments)
	}
	wrapped, _ := json.Marshal(map[string]string{"invalid_json": arguments}) // strings always can be
	return wrapped
}

// addResult adds what a tool gave to the turn that answers the model. Results
// stand before pictures there, as Anthropic's models want it.
func (m chatMessage) addResult(turn *bedrock.Message, at func(string) string) error {
	if m.ToolCallID == "" {
		return badField(at("tool_call_id"), "the result of a tool names the call that it answers")
	}
	blocks, err := m.Content.blocks(at("content"))
	if err != nil {
		return err
	}
	var said []string
	var pictures []bedrock.Block
	for _, b := range blocks {
		if t, ok := b.(bedrock.TextBlock); ok {
			said = append(said, t.Text)
		} else {
			pictures = append(pictures, b)
		}
	}
	result := bedrock.ToolResult{ID: m.ToolCallID, Text: strings.Join(said, "\n")}
	end := 0
	for end < len(turn.Blocks) && isResult(turn.Blocks[end]) {
		end++
	}
	after := append(append([]bedrock.Block{result}, turn.Blocks[end:]...), pictures...)
	turn.Blocks = append(turn.Blocks[:end:end], after...)
	return nil
}

func isResult(b bedrock.Block) bool {
	_, ok := b.(bedrock.ToolResult)
	return ok
}

// onlyText joins the parts, which must be text.
func (c content) onlyText(field string) (string, error) {
	var all []string
	for _, p := range c {
		if p.Type != "text" {
			return "", badField(field, "instructions are text; %s is not", quote(p.Type))
		}
		all = append(all, p.Text)
	}
	return strings.Join(all, "\n"), nil
}

// blocks says the parts in Bedrock's words. Empty texts, which Bedrock
// refuses, are left out.
func (c content) blocks(field string) (all []bedrock.Block, err error) {
	for _, p := range c {
		switch p.Type {
		case "text", "refusal":
			if said := p.Text + p.Refusal; strings.TrimSpace(said) != "" {
				all = append(all, bedrock.TextBlock{Text: said})
			}
		case "image_url":
			picture, err := pictureIn(p.ImageURL.URL, field)
			if err != nil {
				return nil, err
			}
			all = append(all, picture)
		default:
			return nil, badField(field, "parts of type %s can't be passed on; text and image_url can", quote(p.Type))
		}
	}
	return all, nil
}

// pictureFormats are Bedrock's names for the types of pictures that it takes.
var pictureFormats = map[string]string{
	"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp",
}

// pictureIn reads a data: URL. Other addresses are not fetched: whoever may
// ask for an answer could make this machine ask its own metadata service.
func pictureIn(url, field string) (bedrock.Image, error) {
	head, data, ok := strings.Cut(url, ",")
	kind, isData := strings.CutPrefix(head, "data:")
	if !isData || !ok {
		return bedrock.Image{}, badField(field, "pictures are not fetched from addresses; send them as data:image/png;base64,…")
	}
	kind, isBase64 := strings.CutSuffix(kind, ";base64")
	format := pictureFormats[strings.ToLower(kind)]
	if !isBase64 || format == "" {
		return bedrock.Image{}, badField(field, "pictures of type %s can't be passed on; png, jpeg, gif and webp in base64 can", quote(kind))
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(data, "="))
	if err != nil {
		return bedrock.Image{}, badField(field, "the picture is not base64: %v", err)
	}
	return bedrock.Image{Format: format, Data: b}, nil
}

// tools are those that the model may ask for. Without any it can't be told to
// ask for one, and to forbid tools is to send none.
func (r chatRequest) tools() ([]bedrock.Tool, bedrock.ToolChoice, error) {
	var tools []bedrock.Tool
	for i, t := range r.Tools {
		if t.Type != "" && t.Type != "function" {
			return nil, bedrock.ToolChoice{}, badField("tools."+strconv.Itoa(i)+".type", "tools of type %s can't be passed on; function can", quote(t.Type))
		}
		tools = append(tools, bedrock.Tool{Name: t.Function.Name, Description: t.Function.Description, Schema: schemaOf(t.Function.Parameters)})
	}
	choice, err := r.ToolChoice.converse()
	if r.ToolChoice.Word == "none" {
		tools = nil
	}
	if err == nil && choice.Mode != "" && tools == nil {
		err = badField("tool_choice", "a tool is required, and there are none in tools")
	}
	return tools, choice, err
}

// schemaOf leaves out what stands for no schema.
func schemaOf(parameters json.RawMessage) json.RawMessage {
	if string(parameters) == "null" {
		return nil
	}
	return parameters
}

func (c chatToolChoice) converse() (bedrock.ToolChoice, error) {
	switch {
	case c.Word == "required":
		return bedrock.ToolChoice{Mode: "any"}, nil
	case c.Type == "function" && c.Name != "":
		return bedrock.ToolChoice{Mode: "tool", Name: c.Name}, nil
	case c.Type == "" && (c.Word == "" || c.Word == "auto" || c.Word == "none"):
		return bedrock.ToolChoice{}, nil
	}
	return bedrock.ToolChoice{}, badField("tool_choice", "%s is no choice that Bedrock knows; auto, none, required and a function are", quote(c.Word+c.Type))
}

// maxBody bounds the body of a request, in bytes: a million tokens of English
// are half of it, and so are some pictures.
const maxBody = 8 << 20

// tooLarge is the answer to more than maxBody.
func tooLarge() error {
	return refuse(http.StatusRequestEntityTooLarge, "", "the body is larger than %d MiB", maxBody>>20)
}
