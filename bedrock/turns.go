package bedrock

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	smithydocument "github.com/aws/smithy-go/document"
)

// A RequestError says that a request can't be put into Bedrock's words. Nothing
// was sent.
type RequestError struct {
	Part string // of the request: `input of tool use "call_1"`
	Err  error
}

func (e *RequestError) Error() string { return "read the " + e.Part + ": " + e.Err.Error() }
func (e *RequestError) Unwrap() error { return e.Err }

// turns returns the messages as Bedrock takes them: without blanks, and with
// each role's in a row made one.
func turns(messages []Message) ([]types.Message, error) {
	var all []types.Message
	for _, m := range messages {
		content, err := m.content()
		if err != nil {
			return nil, err
		}
		role := types.ConversationRole(m.Role)
		switch last := len(all) - 1; {
		case len(content) == 0:
		case last >= 0 && all[last].Role == role:
			all[last].Content = append(all[last].Content, content...)
		default:
			all = append(all, types.Message{Role: role, Content: content})
		}
	}
	for _, m := range all {
		slices.SortStableFunc(m.Content, resultsFirst)
	}
	return all, nil
}

// resultsFirst orders blocks as Anthropic's models want them: a user's message
// begins with what the tools gave.
func resultsFirst(a, b types.ContentBlock) int {
	rank := func(block types.ContentBlock) int {
		if _, ok := block.(*types.ContentBlockMemberToolResult); ok {
			return 0
		}
		return 1
	}
	return cmp.Compare(rank(a), rank(b))
}

// content returns the blocks of a message in the SDK's words.
func (m Message) content() ([]types.ContentBlock, error) {
	content := textBlock(m.Text)
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case TextBlock:
			content = append(content, textBlock(b.Text)...)
		case Image:
			content = append(content, b.content())
		case ToolUse:
			use, err := b.content()
			if err != nil {
				return nil, err
			}
			content = append(content, use)
		case ToolResult:
			content = append(content, b.content())
		}
	}
	return content, nil
}

// textBlock returns no block for a blank text.
func textBlock(text string) []types.ContentBlock {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}
}

func (i Image) content() types.ContentBlock {
	return &types.ContentBlockMemberImage{Value: types.ImageBlock{
		Format: types.ImageFormat(i.Format), Source: &types.ImageSourceMemberBytes{Value: i.Data},
	}}
}

func (u ToolUse) content() (types.ContentBlock, error) {
	input, err := object(u.Input, fmt.Sprintf("input of tool use %q", u.ID))
	if err != nil {
		return nil, err
	}
	return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
		ToolUseId: aws.String(toolUseID(u.ID)), Name: aws.String(u.Name), Input: input,
	}}, nil
}

func (r ToolResult) content() types.ContentBlock {
	result := types.ToolResultBlock{ToolUseId: aws.String(toolUseID(r.ID)), Content: []types.ToolResultContentBlock{}}
	if strings.TrimSpace(r.Text) != "" {
		result.Content = append(result.Content, &types.ToolResultContentBlockMemberText{Value: r.Text})
	}
	if r.Failed {
		result.Status = types.ToolResultStatusError
	}
	return &types.ContentBlockMemberToolResult{Value: result}
}

// toolUseID returns an id in the letters that Bedrock allows. Clients bring
// ids of other services; theirs are kept apart by a hash.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html
func toolUseID(id string) string {
	const longest, hashed = 64, 16
	plain := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("_.:-", r):
			return r
		}
		return '_'
	}, id)
	if plain == id && id != "" && len(id) <= longest {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return plain[:min(len(plain), longest-hashed-1)] + "_" + hex.EncodeToString(sum[:hashed/2])
}

// toolConfig returns the tools, or nil where there is nothing to say of any.
// Bedrock wants those that the messages speak of, even if they may no longer
// be used: the names are told then, and nothing else is known of them.
func (r Request) toolConfig() (*types.ToolConfiguration, error) {
	tools := r.Tools
	if len(tools) == 0 {
		tools = spokenOf(r.Messages)
	}
	if len(tools) == 0 {
		return nil, nil
	}
	config := &types.ToolConfiguration{}
	for _, t := range tools {
		if len(bytes.TrimSpace(t.Schema)) == 0 {
			t.Schema = json.RawMessage(anyObject)
		}
		schema, err := object(t.Schema, fmt.Sprintf("schema of tool %q", t.Name))
		if err != nil {
			return nil, err
		}
		config.Tools = append(config.Tools, &types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name: aws.String(t.Name), Description: optional(t.Description),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: schema},
		}})
	}
	if len(r.Tools) > 0 {
		config.ToolChoice = r.ToolChoice.choice()
	}
	return config, nil
}

// spokenOf returns the tools of which only the names are known, from their
// uses. A result without its use has none, and Bedrock refuses it anyway.
func spokenOf(messages []Message) []Tool {
	var tools []Tool
	for _, m := range messages {
		for _, b := range m.Blocks {
			use, ok := b.(ToolUse)
			if ok && !slices.ContainsFunc(tools, func(t Tool) bool { return t.Name == use.Name }) {
				tools = append(tools, Tool{Name: use.Name})
			}
		}
	}
	return tools
}

// anyObject is the schema of a tool that takes what it gets.
const anyObject = `{"type":"object"}`

func (c ToolChoice) choice() types.ToolChoice {
	switch c.Mode {
	case "any":
		return &types.ToolChoiceMemberAny{}
	case "tool":
		return &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String(c.Name)}}
	}
	return nil
}

var errNoObject = errors.New("not a JSON object")

// object returns a JSON object as the SDK takes it. Numbers keep their digits.
func object(raw json.RawMessage, part string) (document.Interface, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return document.NewLazyDocument(map[string]any{}), nil
	}
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil || members == nil || decoder.More() {
		return nil, &RequestError{Part: part, Err: errNoObject}
	}
	return document.NewLazyDocument(exact(members)), nil
}

// exact replaces encoding/json's numbers by the SDK's, which would take the
// former for text.
func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		return smithydocument.Number(v)
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = exact(v[name])
		}
	}
	return v
}

// toolUsesOf returns the tools that an answer asks for.
func toolUsesOf(blocks []types.ContentBlock) []ToolUse {
	var uses []ToolUse
	for _, b := range blocks {
		if use, ok := b.(*types.ContentBlockMemberToolUse); ok {
			uses = append(uses, ToolUse{
				ID: aws.ToString(use.Value.ToolUseId), Name: aws.ToString(use.Value.Name), Input: inputOf(use.Value.Input),
			})
		}
	}
	return uses
}

// inputOf returns the JSON text of what a model gives to a tool.
func inputOf(input document.Interface) json.RawMessage {
	if input != nil {
		if raw, err := input.MarshalSmithyDocument(); err == nil {
			return raw
		}
	}
	return json.RawMessage(`{}`)
}
