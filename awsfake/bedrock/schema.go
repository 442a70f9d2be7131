package bedrock

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// malformed is all that AWS says of a body that is no JSON object.
const malformed = "Malformed input request, please reformat your input and try again."

// messagesMembers are the members of a body in Anthropic's form, with the kinds
// of JSON value as AWS's validator names them; "" takes any.
var messagesMembers = map[string]string{
	"anthropic_version": "String", "anthropic_beta": "JSONArray", "max_tokens": "Integer", "messages": "JSONArray",
	"system": "", "stop_sequences": "JSONArray", "temperature": "Number", "top_p": "Number", "top_k": "Integer",
	"tools": "JSONArray", "tool_choice": "JSONObject", "thinking": "JSONObject", "metadata": "JSONObject",
	"output_config": "JSONObject", "context_management": "JSONObject",
}

var messagesVersions = []string{"bedrock-2023-05-31"}

// messagesSchema checks the form of a body. AWS tells all violations at once,
// and where there are messages it says so first, as if they were wrong
// (langchain-ai/langchain#23352, fumito-ito/AnthropicSwiftSDK#19).
func messagesSchema(body []byte) error {
	var members map[string]json.RawMessage
	if !utf8.Valid(body) || json.Unmarshal(body, &members) != nil || members == nil {
		return invalid(malformed)
	}
	var wrong []string
	for _, name := range []string{"anthropic_version", "max_tokens", "messages"} {
		if _, ok := members[name]; !ok {
			wrong = append(wrong, "#: required key ["+name+"] not found")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		wrong = append(wrong, wrongMember(name, members[name])...)
	}
	if len(wrong) == 0 {
		return nil
	}
	if _, ok := members["messages"]; ok {
		wrong = append([]string{`#: subject must not be valid against schema {"required":["messages"]}`}, wrong...)
	}
	return invalid("Malformed input request: " + strings.Join(wrong, "") + ", please reformat your input and try again.")
}

func wrongMember(name string, raw json.RawMessage) []string {
	want, known := messagesMembers[name]
	kind := kindOf(raw)
	switch {
	case !known:
		return []string{"#: extraneous key [" + name + "] is not permitted"}
	case want == "Number" && (kind == "Integer" || kind == "Double"), want == "":
	case want != kind:
		return []string{"#/" + name + ": expected type: " + want + ", found: " + kind}
	}
	text := strings.Trim(string(raw), " \t\r\n")
	number, _ := strconv.ParseFloat(text, 64)
	switch name {
	case "anthropic_version":
		var version string
		json.Unmarshal(raw, &version)
		if !slices.Contains(messagesVersions, version) {
			return []string{"#/" + name + ": " + version + " is not a valid enum value"}
		}
	case "max_tokens":
		if number < 1 {
			return []string{"#/" + name + ": " + text + " is not greater or equal to 1"}
		}
	case "temperature", "top_p":
		switch {
		case number < 0:
			return []string{"#/" + name + ": " + text + " is not greater or equal to 0"}
		case number > 1:
			return []string{"#/" + name + ": " + text + " is not less or equal to 1"}
		}
	}
	return nil
}

// kindOf names the kind of a JSON value.
func kindOf(raw json.RawMessage) string {
	text := strings.TrimLeft(string(raw), " \t\r\n")
	switch {
	case strings.HasPrefix(text, `"`):
		return "String"
	case strings.HasPrefix(text, "["):
		return "JSONArray"
	case strings.HasPrefix(text, "{"):
		return "JSONObject"
	case strings.HasPrefix(text, "t"), strings.HasPrefix(text, "f"):
		return "Boolean"
	case strings.HasPrefix(text, "n"):
		return "Null"
	case strings.ContainsAny(text, ".eE"):
		return "Double"
	}
	return "Integer"
}
