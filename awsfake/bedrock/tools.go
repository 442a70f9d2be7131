package bedrock

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tegata/awsfake/wire"
)

// toolConfig says which tools the stand-in may ask for.
type toolConfig struct {
	Tools  []toolEntry `json:"tools"`
	Choice *toolChoice `json:"toolChoice"`
}

type toolEntry struct {
	Spec *tool `json:"toolSpec"`
}

type toolChoice struct {
	Any  *struct{}              `json:"any"`
	Auto *struct{}              `json:"auto"`
	Tool *struct{ Name string } `json:"tool"`
}

type tool struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	InputSchema struct {
		JSON json.RawMessage `json:"json"`
	} `json:"inputSchema"`
}

// A toolUse is the stand-in's wish to have a tool called.
type toolUse struct {
	ID    string          `json:"toolUseId"`
	Name  string          `json:"name"`
	Input json.RawMessage `json:"input"`
}

// specs are the tools that have a specification, which others than those of
// the account itself do.
func (c *toolConfig) specs() []tool {
	var specs []tool
	for _, t := range c.Tools {
		if t.Spec != nil {
			specs = append(specs, *t.Spec)
		}
	}
	return specs
}

func (c *toolConfig) check() error {
	constraint := func(value, at, text string) error {
		return invalid("1 validation error detected: Value '" + value + "' at '" + at + "' failed to satisfy constraint: Member must " + text)
	}
	if len(c.Tools) == 0 {
		return constraint("[]", "toolConfig.tools", "have length greater than or equal to 1")
	}
	for i, t := range c.specs() {
		place := fmt.Sprintf("toolConfig.tools.%d.member.toolSpec", i+1)
		switch {
		case !madeOf(t.Name, 64, "_-"):
			return constraint(t.Name, place+".name", "satisfy regular expression pattern: [a-zA-Z0-9_-]{1,64}")
		case !isObject(t.InputSchema.JSON):
			return invalid("The value at " + place + ".inputSchema.json is empty or no object. Add a JSON schema and try again.")
		}
	}
	if forced := c.forced(); forced != "" && !c.has(forced) {
		return invalid("The tool in toolChoice, " + forced + ", is not one of those in toolConfig.tools.")
	}
	return nil
}

// forced is the name of the tool that has to be asked for, or "".
func (c *toolConfig) forced() string {
	if c.Choice == nil || c.Choice.Tool == nil {
		return ""
	}
	return c.Choice.Tool.Name
}

func (c *toolConfig) has(name string) bool {
	return slices.ContainsFunc(c.specs(), func(t tool) bool { return t.Name == name })
}

// madeOf reports whether s is one to longest letters and digits of ASCII, and
// the others.
func madeOf(s string, longest int, others string) bool {
	foreign := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(others, r)
	}
	return s != "" && len(s) <= longest && !strings.ContainsFunc(s, foreign)
}

func isObject(raw json.RawMessage) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal(raw, &members) == nil && members != nil
}

// pick returns the tool that the stand-in asks for: the one it must, or one
// that the question speaks of. After the result of a tool it asks for none,
// so that a loop around it comes to its end.
func (q question) pick() (tool, bool) {
	if q.ToolConfig == nil || len(q.ToolConfig.specs()) == 0 || len(q.results()) > 0 {
		return tool{}, false
	}
	specs := q.ToolConfig.specs()
	fitting := slices.IndexFunc(specs, func(t tool) bool { return t.isWantedBy(q.last()) })
	switch c := q.ToolConfig; {
	case c.forced() != "":
		return specs[slices.IndexFunc(specs, func(t tool) bool { return t.Name == c.forced() })], true
	case c.Choice != nil && c.Choice.Any != nil:
		return specs[max(fitting, 0)], true
	case fitting >= 0:
		return specs[fitting], true
	}
	return tool{}, false
}

// mustAsk reports whether the question leaves no choice.
func (q question) mustAsk() bool {
	return q.ToolConfig != nil && q.ToolConfig.Choice != nil && (q.ToolConfig.Choice.Any != nil || q.ToolConfig.forced() != "")
}

// isWantedBy reports whether the question asks for tools at all, names this
// one, or has a word of four letters or more of its name or description.
func (t tool) isWantedBy(question string) bool {
	question = strings.ToLower(question)
	for _, plain := range []string{"use the tool", "use a tool", "ツールを使"} {
		if strings.Contains(question, plain) {
			return true
		}
	}
	if strings.Contains(question, strings.ToLower(t.Name)) {
		return true
	}
	const telling = 4
	asked := wordsOf(question)
	for _, word := range wordsOf(strings.ToLower(t.Name + " " + t.Description)) {
		if len(word) >= telling && !slices.Contains(everywhere, word) && slices.Contains(asked, word) {
			return true
		}
	}
	return false
}

// everywhere are words that say nothing about what a tool does.
var everywhere = []string{"this", "that", "with", "from", "given", "about", "what", "when", "which", "your", "tool", "have", "returns", "return"}

func wordsOf(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// use fills in a tool's input from its schema and the question.
func (t tool) use(question string) *toolUse {
	var id [16]byte
	rand.Read(id[:])
	var s schema
	json.Unmarshal(t.InputSchema.JSON, &s) // what is no schema asks for nothing
	s.Type = json.RawMessage(`"object"`)
	return &toolUse{
		ID: "tooluse_" + base64.RawURLEncoding.EncodeToString(id[:]), Name: t.Name, Input: wire.Marshal(s.example(question, maxDepth)),
	}
}

// An example is no larger than it has to be seen.
const (
	maxDepth = 8
	maxItems = 3
)

// A schema is as much of JSON Schema as an example needs.
type schema struct {
	Type       json.RawMessage   `json:"type"` // a name or a list of names
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Items      *schema           `json:"items"`
	Enum       []any             `json:"enum"`
	Const      any               `json:"const"`
	AnyOf      []schema          `json:"anyOf"`
	Minimum    float64           `json:"minimum"`
	MinItems   int               `json:"minItems"`
}

func (s schema) kind() string {
	var names []string
	var name string
	json.Unmarshal(s.Type, &name)
	json.Unmarshal(s.Type, &names)
	names = slices.DeleteFunc(names, func(n string) bool { return n == "null" })
	switch {
	case name != "":
		return name
	case len(names) > 0:
		return names[0]
	case s.Properties != nil:
		return "object"
	}
	return "string"
}

// example makes a value that fits: numbers and choices as the question has
// them, and the question itself, or what it puts in quotes, for text.
func (s schema) example(question string, depth int) any {
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.choice(question)
	case depth > 0 && len(s.AnyOf) > 0:
		return s.AnyOf[0].example(question, depth-1)
	}
	switch s.kind() {
	case "object":
		return s.object(question, depth)
	case "array":
		list := []any{}
		for range min(max(s.MinItems, 1), maxItems) {
			if s.Items != nil && depth > 0 {
				list = append(list, s.Items.example(question, depth-1))
			}
		}
		return list
	case "integer":
		return max(int64(numberIn(question)), int64(s.Minimum))
	case "number":
		return max(numberIn(question), s.Minimum)
	case "boolean":
		return true
	case "null":
		return nil
	}
	return quotedIn(question)
}

// object fills in what is required, or everything where nothing is.
func (s schema) object(question string, depth int) map[string]any {
	members := map[string]any{}
	names := s.Required
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(s.Properties))
	}
	for _, name := range names {
		if depth > 0 {
			members[name] = s.Properties[name].example(question, depth-1)
		}
	}
	return members
}

func (s schema) choice(question string) any {
	question = strings.ToLower(question)
	for _, value := range s.Enum {
		if strings.Contains(question, strings.ToLower(fmt.Sprint(value))) {
			return value
		}
	}
	return s.Enum[0]
}

// numberIn returns the first number of a text, or 1.
func numberIn(text string) float64 {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' }) {
		if n, err := strconv.ParseFloat(word, 64); err == nil {
			return n
		}
	}
	return 1
}

// quotedIn returns what stands in quotes in a text, or the text.
func quotedIn(text string) string {
	for _, quotes := range []struct{ open, end string }{{`"`, `"`}, {"“", "”"}, {"「", "」"}} {
		_, rest, _ := strings.Cut(text, quotes.open)
		if quoted, _, ok := strings.Cut(rest, quotes.end); ok && quoted != "" {
			return quoted
		}
	}
	return strings.TrimSpace(text)
}

// results are the texts that tools gave in the newest message.
func (q question) results() []string {
	if len(q.Messages) == 0 {
		return nil
	}
	var texts []string
	for _, b := range q.Messages[len(q.Messages)-1].Content {
		if raw, ok := b["toolResult"]; ok {
			texts = append(texts, resultText(raw))
		}
	}
	return texts
}

// resultText joins the texts of a result; JSON is its own text.
func resultText(raw json.RawMessage) string {
	var result struct {
		Content []block `json:"content"`
	}
	json.Unmarshal(raw, &result)
	var parts []string
	for _, b := range result.Content {
		text, _ := b.text()
		parts = append(parts, cmp.Or(text, string(bytes.TrimSpace(b["json"]))))
	}
	return strings.Join(parts, "\n")
}
