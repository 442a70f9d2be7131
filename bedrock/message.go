package bedrock

import (
	"encoding/json"
)

// Role says who speaks a [Message].
type Role string

const (
	User      Role = "user"
	Assistant Role = "assistant"
)

// A Message is one turn of a conversation. Turns of one role that follow each
// other are sent as one, as Bedrock wants them to alternate, and blank texts
// are left out, which it refuses.
type Message struct {
	Role   Role
	Text   string  // comes before Blocks; "" means none
	Blocks []Block // what is more than the text
}

// A Block is a part of a message: one of [TextBlock], [Image], [ToolUse] and
// [ToolResult].
type Block interface{ block() }

type (
	// TextBlock is text between other blocks.
	TextBlock struct{ Text string }
	// Image is a picture that the model is to look at.
	Image struct {
		Format string // "png", "jpeg", "gif" or "webp"
		Data   []byte
	}
	// ToolUse is the model's wish to have a tool called.
	ToolUse struct {
		ID, Name string
		Input    json.RawMessage // a JSON object; empty means one without members
	}
	// ToolResult is what a tool gave, as a part of the user's next message.
	ToolResult struct {
		ID     string // of the ToolUse that it answers
		Text   string
		Failed bool // the text says why it gave nothing
	}
)

func (TextBlock) block()  {}
func (Image) block()      {}
func (ToolUse) block()    {}
func (ToolResult) block() {}

// A Tool is one that a model may ask for.
type Tool struct {
	Name        string
	Description string          // "" means none
	Schema      json.RawMessage // JSON Schema of its input, an object; empty means any object
}

// A ToolChoice says whether a model must ask for a tool. Its zero value leaves
// that to the model. Bedrock knows no way to forbid tools but to give none.
type ToolChoice struct {
	Mode string // "" for the model's choice, "any" for one of the tools, "tool" for that of Name
	Name string
}
