package bedrock

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"tegata/awsfake/wire"
)

// Anthropic's Messages, as InvokeModel carries them
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html).

// messagesDialect is Anthropic's way to write a question and its answer.
type messagesDialect struct{}

// messagesBody is what a question is made of.
type messagesBody struct {
	Version       string          `json:"anthropic_version"`
	MaxTokens     *int            `json:"max_tokens"`
	Messages      []saidMessage   `json:"messages"`
	System        json.RawMessage `json:"system"` // a text or blocks
	StopSequences []string        `json:"stop_sequences"`
	Temperature   *float64        `json:"temperature"`
	TopP          *float64        `json:"top_p"`
	Tools         []struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Schema      json.RawMessage `json:"input_schema"`
	} `json:"tools"`
	ToolChoice *struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"tool_choice"`
}

type saidMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"` // a text or blocks
}

// A saidBlock is one block of content, of all types.
type saidBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ID        string          `json:"id"`          // tool_use
	Name      string          `json:"name"`        // tool_use
	Input     json.RawMessage `json:"input"`       // tool_use
	ToolUseID string          `json:"tool_use_id"` // tool_result
	Content   json.RawMessage `json:"content"`     // tool_result: a text or blocks
	IsError   bool            `json:"is_error"`    // tool_result
	Thinking  string          `json:"thinking"`
	Signature string          `json:"signature"`
	Data      string          `json:"data"` // redacted_thinking
	Source    struct {
		MediaType string `json:"media_type"`
		Data      string `json:"data"`
	} `json:"source"` // image, document
}

// parse reads and checks a body: first its form, by which AWS refuses it
// before the model sees it, then what the model itself refuses.
func (messagesDialect) parse(body []byte) (question, error) {
	if err := messagesSchema(body); err != nil {
		return question{}, err
	}
	var m messagesBody
	if err := json.Unmarshal(body, &m); err != nil {
		return question{}, invalid(malformed)
	}
	var q question
	q.InferenceConfig.MaxTokens = m.MaxTokens
	q.InferenceConfig.Temperature, q.InferenceConfig.TopP = m.Temperature, m.TopP
	q.InferenceConfig.StopSequences = m.StopSequences
	var err error
	if q.System, err = textOrBlocks("system", m.System); err != nil {
		return question{}, err
	}
	if q.Messages, err = m.conversation(); err != nil {
		return question{}, err
	}
	q.ToolConfig = m.toolConfig()
	return q, q.checkToolTurns()
}

// conversation turns the messages into Converse's. Turns of the same role in a
// row are one.
func (m messagesBody) conversation() ([]message, error) {
	if len(m.Messages) == 0 {
		return nil, invalid("messages: at least one message is required")
	}
	var all []message
	for i, said := range m.Messages {
		place := "messages." + strconv.Itoa(i)
		switch {
		case said.Role != "user" && said.Role != "assistant":
			return nil, invalid(place + ".role: Input should be 'user' or 'assistant'")
		case i == 0 && said.Role != "user":
			return nil, invalid(`messages: first message must use the "user" role`)
		}
		blocks, err := textOrBlocks(place+".content", said.Content)
		switch {
		case err != nil:
			return nil, err
		case len(blocks) == 0:
			return nil, invalid(place + ": all messages must have non-empty content except for the optional final assistant message")
		case len(all) > 0 && all[len(all)-1].Role == said.Role:
			all[len(all)-1].Content = append(all[len(all)-1].Content, blocks...)
		default:
			all = append(all, message{said.Role, blocks})
		}
	}
	return all, nil
}

// textOrBlocks reads content, which is a text or a list of blocks.
func textOrBlocks(place string, raw json.RawMessage) ([]block, error) {
	var text string
	switch {
	case len(raw) == 0:
		return nil, nil
	case json.Unmarshal(raw, &text) == nil:
		if strings.TrimSpace(text) == "" {
			return nil, nil
		}
		return []block{{"text": wire.Marshal(text)}}, nil
	}
	var said []saidBlock
	if json.Unmarshal(raw, &said) != nil {
		return nil, invalid(place + ": Input should be a valid list")
	}
	var all []block
	for i, b := range said {
		converted, err := b.block(place + "." + strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		all = append(all, converted)
	}
	return all, nil
}

// block is the same in Converse's form.
func (b saidBlock) block(place string) (block, error) {
	of := func(kind string, v any) (block, error) { return block{kind: wire.Marshal(v)}, nil }
	switch b.Type {
	case "text":
		if strings.TrimSpace(b.Text) == "" {
			return nil, invalid("messages: text content blocks must be non-empty")
		}
		return of("text", b.Text)
	case "tool_use":
		if !isObject(b.Input) {
			return nil, invalid(place + ".tool_use.input: Input should be a valid dictionary")
		}
		return of("toolUse", toolUse{b.ID, b.Name, b.Input})
	case "tool_result":
		return b.result(place)
	case "image", "document":
		format := b.Source.MediaType[strings.LastIndexByte(b.Source.MediaType, '/')+1:]
		return of(b.Type, map[string]any{"format": format, "name": b.Type, "source": map[string]string{"bytes": b.Source.Data}})
	case "thinking":
		return of("reasoningContent", map[string]any{"reasoningText": map[string]string{"text": b.Thinking, "signature": b.Signature}})
	case "redacted_thinking":
		return of("reasoningContent", map[string]string{"redactedContent": b.Data})
	}
	return nil, invalid(place + ": Input tag '" + b.Type + "' found using 'type' does not match any of the expected tags: " +
		"'document', 'image', 'redacted_thinking', 'text', 'thinking', 'tool_result', 'tool_use'")
}

func (b saidBlock) result(place string) (block, error) {
	content, err := textOrBlocks(place+".tool_result.content", b.Content)
	if err != nil {
		return nil, err
	}
	status := "success"
	if b.IsError {
		status = "error"
	}
	if content == nil {
		content = []block{}
	}
	return block{"toolResult": wire.Marshal(map[string]any{"toolUseId": b.ToolUseID, "content": content, "status": status})}, nil
}

func (m messagesBody) toolConfig() *toolConfig {
	if len(m.Tools) == 0 || m.ToolChoice != nil && m.ToolChoice.Type == "none" {
		return nil
	}
	c := &toolConfig{Tools: make([]toolEntry, len(m.Tools))}
	for i, t := range m.Tools {
		c.Tools[i].Spec = &tool{Name: t.Name, Description: t.Description}
		c.Tools[i].Spec.InputSchema.JSON = t.Schema
	}
	if m.ToolChoice != nil {
		c.Choice = &toolChoice{}
		switch m.ToolChoice.Type {
		case "any":
			c.Choice.Any = &struct{}{}
		case "tool":
			c.Choice.Tool = &struct{ Name string }{m.ToolChoice.Name}
		}
	}
	return c
}

// checkToolTurns wants each tool_use to be answered in the next turn, and
// nothing else to be.
func (q question) checkToolTurns() error {
	var asked []string
	for i, m := range q.Messages {
		results := m.toolIDs("toolResult")
		for _, id := range asked {
			if !slices.Contains(results, id) {
				return invalid("messages." + strconv.Itoa(i) + ": `tool_use` ids were found without `tool_result` blocks immediately after: " + id +
					". Each `tool_use` block must have a corresponding `tool_result` block in the next message.")
			}
		}
		for _, id := range results {
			if !slices.Contains(asked, id) {
				return invalid("messages." + strconv.Itoa(i) + ".content.0: unexpected `tool_use_id` found in `tool_result` blocks: " + id +
					". Each `tool_result` block must have a corresponding `tool_use` block in the previous message.")
			}
		}
		asked = m.toolIDs("toolUse")
	}
	if c := q.ToolConfig; c != nil {
		return c.checkNames()
	}
	return nil
}

// checkNames checks what the model itself wants of its tools.
func (c *toolConfig) checkNames() error {
	for i, t := range c.specs() {
		place := "tools." + strconv.Itoa(i)
		switch {
		case !madeOf(t.Name, 128, "_-"):
			return invalid(place + ".custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
		case !isObject(t.InputSchema.JSON):
			return invalid(place + ".custom.input_schema: Input should be a valid dictionary")
		}
	}
	if forced := c.forced(); forced != "" && !c.has(forced) {
		return invalid("tool_choice: Tool '" + forced + "' not found in provided tools")
	}
	return nil
}

func (messagesDialect) whole(i *inquiry, r reply) any {
	content := []any{}
	if r.text != "" {
		content = append(content, map[string]string{"type": "text", "text": r.text})
	}
	for _, t := range r.tools {
		content = append(content, map[string]any{"type": "tool_use", "id": anthropicID(t.ID), "name": t.Name, "input": t.Input})
	}
	body := i.messageHead(r.usage.input, r.usage)
	body["content"], body["stop_reason"], body["stop_sequence"] = content, stopReason(r.ending), orNull(r.stop)
	if action := r.guard.action(i); action != "" {
		body["amazon-bedrock-guardrailAction"] = action
	}
	return body
}

// messageHead is what an answer begins with.
func (i *inquiry) messageHead(input int, u usage) map[string]any {
	var id [12]byte
	rand.Read(id[:])
	return map[string]any{
		"model": anthropicName(i.target.model.ID), "id": "msg_bdrk_01" + base64.RawURLEncoding.EncodeToString(id[:]),
		"type": "message", "role": "assistant", "content": []any{}, "stop_reason": nil, "stop_sequence": nil,
		"usage": map[string]int{
			"input_tokens": input, "output_tokens": u.output,
			"cache_creation_input_tokens": u.cacheWrite, "cache_read_input_tokens": u.cacheRead,
		},
	}
}

// anthropicName is the model's name at its provider.
func anthropicName(id string) string {
	name := strings.TrimPrefix(id, "anthropic.")
	if i := strings.LastIndex(name, "-v"); i >= 0 && i+2 < len(name) && name[i+2] >= '0' && name[i+2] <= '9' {
		name = name[:i]
	}
	return name
}

// anthropicID names a tool's use as this API does.
func anthropicID(id string) string {
	if rest, ok := strings.CutPrefix(id, "tooluse_"); ok {
		return "toolu_bdrk_01" + rest
	}
	return id
}

// stopReason is Anthropic's, which has no word for guardrails: what they say
// is the end of the turn.
func stopReason(e ending) string {
	if e.reason == guardrailIntervened {
		return "end_turn"
	}
	return e.reason
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (messagesDialect) scribe(i *inquiry, out *stream) scribe { return &messagesScribe{i: i, out: out} }

// A messagesScribe writes the events of Messages, each as the bytes of one
// chunk.
type messagesScribe struct {
	i     *inquiry
	out   *stream
	block int
	kind  string // of the block that is open: text, tool_use; "" for none
}

func (s *messagesScribe) emit(kind string, members map[string]any) {
	members["type"] = kind
	s.out.chunk(members)
}

func (s *messagesScribe) begin() {
	s.emit("message_start", map[string]any{"message": s.i.messageHead(s.i.question.inputTokens(), usage{output: 1})})
}

func (s *messagesScribe) piece(p piece) {
	switch {
	case p.tool != nil:
		s.start("tool_use", map[string]any{"type": "tool_use", "id": anthropicID(p.tool.ID), "name": p.tool.Name, "input": struct{}{}})
	case p.text != "" && s.kind != "text":
		s.start("text", map[string]any{"type": "text", "text": ""})
	}
	if p.text != "" {
		s.delta(map[string]any{"type": "text_delta", "text": p.text})
	}
	if p.input != "" {
		s.delta(map[string]any{"type": "input_json_delta", "partial_json": p.input})
	}
}

func (s *messagesScribe) start(kind string, block map[string]any) {
	s.endBlock()
	s.kind = kind
	s.emit("content_block_start", map[string]any{"index": s.block, "content_block": block})
}

func (s *messagesScribe) delta(delta any) {
	s.emit("content_block_delta", map[string]any{"index": s.block, "delta": delta})
}

func (s *messagesScribe) endBlock() {
	if s.kind != "" {
		s.emit("content_block_stop", map[string]any{"index": s.block})
		s.block++
	}
	s.kind = ""
}

func (s *messagesScribe) end(e ending) {
	s.endBlock()
	s.emit("message_delta", map[string]any{
		"delta": map[string]any{"stop_reason": stopReason(e), "stop_sequence": orNull(e.stop)},
		"usage": map[string]int{"output_tokens": e.usage.output},
	})
	last := map[string]any{invocationMetrics: s.i.metrics(e.usage)}
	if action := e.guard.action(s.i); action != "" {
		last["amazon-bedrock-guardrailAction"] = action
	}
	s.emit("message_stop", last)
}

// invocationMetrics is a member of the last chunk, whatever the dialect.
const invocationMetrics = "amazon-bedrock-invocationMetrics"

func (i *inquiry) metrics(u usage) map[string]int64 {
	return map[string]int64{
		"inputTokenCount": int64(u.input), "outputTokenCount": int64(u.output),
		"invocationLatency": i.latency(), "firstByteLatency": i.first.Milliseconds(),
	}
}

// chunk writes an event whose bytes are JSON.
func (s *stream) chunk(v any) { s.event("chunk", map[string][]byte{"bytes": wire.Marshal(v)}) }
