package bedrock

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tegata/awsfake/wire"
)

// A question is the body of Converse and ConverseStream, as far as the
// stand-in reads it.
type question struct {
	Messages        []message `json:"messages"`
	System          []block   `json:"system"`
	InferenceConfig struct {
		MaxTokens     *int     `json:"maxTokens"`
		Temperature   *float64 `json:"temperature"`
		TopP          *float64 `json:"topP"`
		StopSequences []string `json:"stopSequences"`
	} `json:"inferenceConfig"`
	ToolConfig *toolConfig `json:"toolConfig"`
}

type message struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

// A block is one ContentBlock: an object with exactly one member.
type block map[string]json.RawMessage

func (b block) text() (string, bool) {
	raw, ok := b["text"]
	var s string
	return s, ok && json.Unmarshal(raw, &s) == nil
}

// questionMembers are the members of the request in the API model of botocore
// 1.43.11, and blockMembers those of a content block.
var (
	questionMembers = []string{"messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig",
		"additionalModelRequestFields", "promptVariables", "additionalModelResponseFieldPaths", "requestMetadata",
		"performanceConfig", "serviceTier", "outputConfig"}
	messageMembers   = []string{"role", "content"}
	inferenceMembers = []string{"maxTokens", "temperature", "topP", "stopSequences"}
	blockMembers     = []string{"text", "image", "document", "video", "audio", "toolUse", "toolResult", "guardContent",
		"cachePoint", "reasoningContent", "citationsContent", "searchResult"}
)

// parseQuestion reads and checks a body.
func parseQuestion(body []byte) (question, error) {
	var q question
	if err := checkMembers(body); err != nil {
		return q, err
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return q, wire.Refuse("SerializationException", "Unexpected field type")
	}
	return q, firstError(q.checkConfig, q.checkMessages, q.checkTools)
}

func firstError(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkMembers refuses members that the API doesn't have. A misspelt
// inferenceConfig would otherwise be lost without a word, and encoding/json
// would take a Role for a role.
func checkMembers(body []byte) error {
	type object = map[string]json.RawMessage
	var top struct {
		InferenceConfig object   `json:"inferenceConfig"`
		Messages        []object `json:"messages"`
	}
	var members object
	if !utf8.Valid(body) || json.Unmarshal(body, &members) != nil || json.Unmarshal(body, &top) != nil {
		return wire.Refuse("SerializationException", "Unexpected field type")
	}
	err := cmp.Or(onlyKnown(members, questionMembers), onlyKnown(top.InferenceConfig, inferenceMembers))
	for _, m := range top.Messages {
		err = cmp.Or(err, onlyKnown(m, messageMembers))
	}
	return err
}

func onlyKnown(members map[string]json.RawMessage, known []string) error {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(known, name) {
			return invalid("Malformed input request: #: extraneous key [" + name + "] is not permitted, please reformat your input and try again.")
		}
	}
	return nil
}

func (q question) checkConfig() error {
	c := q.InferenceConfig
	constraint := func(value any, member, text string) error {
		return invalid(fmt.Sprintf("1 validation error detected: Value '%v' at 'inferenceConfig.%s' failed to satisfy constraint: "+
			"Member must have value %s", value, member, text))
	}
	if c.MaxTokens != nil && *c.MaxTokens < 1 {
		return constraint(*c.MaxTokens, "maxTokens", "greater than or equal to 1")
	}
	for _, p := range []struct {
		name  string
		value *float64
	}{{"temperature", c.Temperature}, {"topP", c.TopP}} {
		switch {
		case p.value == nil:
		case *p.value < 0:
			return constraint(*p.value, p.name, "greater than or equal to 0")
		case *p.value > 1:
			return constraint(*p.value, p.name, "less than or equal to 1")
		}
	}
	return nil
}

func (q question) checkMessages() error {
	if len(q.Messages) == 0 || q.Messages[0].Role == "assistant" {
		return invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
	}
	previous := ""
	for i, m := range q.Messages {
		if m.Role != "user" && m.Role != "assistant" {
			return invalid(fmt.Sprintf("1 validation error detected: Value '%s' at 'messages.%d.member.role' failed to satisfy constraint: "+
				"Member must satisfy enum value set: [user, assistant]", m.Role, i+1))
		}
		if m.Role == previous {
			return invalid("A conversation must alternate between user and assistant roles. " +
				"Make sure the conversation alternates between user and assistant roles and try again.")
		}
		previous = m.Role
		if err := m.check(i); err != nil {
			return err
		}
	}
	return nil
}

func (m message) check(i int) error {
	if len(m.Content) == 0 {
		return invalid(fmt.Sprintf("The content field in the Message object at messages.%d is empty. "+
			"Add a ContentBlock object to the content field and try again.", i))
	}
	for j, b := range m.Content {
		place := fmt.Sprintf("messages.%d.content.%d", i, j)
		if err := onlyKnown(b, blockMembers); err != nil {
			return err
		}
		if len(b) != 1 {
			return invalid("ContentBlock object at " + place + " must set one of the following keys: " + strings.Join(blockMembers, ", ") + ".")
		}
		if _, isText := b["text"]; !isText {
			continue
		}
		text, ok := b.text()
		if !ok {
			return wire.Refuse("SerializationException", "Unexpected field type")
		}
		if strings.TrimSpace(text) == "" {
			return invalid("The text field in the ContentBlock object at " + place + " is blank. Add text to the text field, and try again.")
		}
	}
	return nil
}

// checkTools matches each toolResult with the toolUse of the turn before.
func (q question) checkTools() error {
	var pending []string
	for i, m := range q.Messages {
		uses, results := m.toolIDs("toolUse"), m.toolIDs("toolResult")
		if len(uses)+len(results) > 0 && q.ToolConfig == nil {
			return invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
		}
		if err := m.checkToolBlocks(i); err != nil {
			return err
		}
		if len(results) > len(pending) {
			return invalid(fmt.Sprintf("The number of toolResult blocks at messages.%d.content exceeds the number of toolUse blocks of previous turn.", i))
		}
		missing := slices.DeleteFunc(pending, func(id string) bool { return slices.Contains(results, id) })
		if len(missing) > 0 {
			return invalid(fmt.Sprintf("Expected toolResult blocks at messages.%d.content for the following Ids: %s", i, strings.Join(missing, ", ")))
		}
		pending = uses
	}
	if q.ToolConfig == nil {
		return nil
	}
	return q.ToolConfig.check()
}

// checkToolBlocks checks the form of each toolUse and toolResult.
func (m message) checkToolBlocks(i int) error {
	for j, b := range m.Content {
		for kind, of := range map[string]string{"toolUse": "assistant", "toolResult": "user"} {
			raw, ok := b[kind]
			if !ok {
				continue
			}
			var t toolUse
			json.Unmarshal(raw, &t)
			place := fmt.Sprintf("messages.%d.content.%d.%s", i, j, kind)
			switch {
			case m.Role != of:
				return invalid(fmt.Sprintf("The %s block at messages.%d.content.%d may only be in a message of the role %s.", kind, i, j, of))
			case !madeOf(t.ID, 64, "_.:-"):
				return invalid("1 validation error detected: Value '" + t.ID + "' at '" + place + ".toolUseId' failed to satisfy constraint: " +
					"Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]{1,64}")
			case kind == "toolUse" && !isObject(t.Input):
				return invalid("The format of the value at " + place + ".input is invalid. Provide a json object for the field and try again.")
			}
		}
	}
	return nil
}

func (m message) toolIDs(kind string) []string {
	var ids []string
	for _, b := range m.Content {
		if raw, ok := b[kind]; ok {
			var t toolUse
			json.Unmarshal(raw, &t)
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// last is the text of the newest user message that has some.
func (q question) last() string {
	for _, m := range slices.Backward(q.Messages) {
		if m.Role != "user" {
			continue
		}
		for _, b := range slices.Backward(m.Content) {
			if text, ok := b.text(); ok {
				return text
			}
		}
	}
	return ""
}
