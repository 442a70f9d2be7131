package bedrock

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/awsfake/wire"
)

func TestTokenize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                nil,
		"Hello world":     {"Hell", "o", " worl", "d"},
		"a b":             {"a", " b"},
		"日本 ok":           {"日", "本", " ok"},
		"I am 東京. Yes.\n": {"I", " am", " ", "東", "京", ".", " Yes.", "\n"},
	} {
		if diff := cmp.Diff(want, tokenize(text)); diff != "" {
			t.Errorf("tokenize(%q) (-want +got):\n%s", text, diff)
		}
	}
}

func FuzzQuestion(f *testing.F) {
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"text":"Hello, who are you?"}]}],"inferenceConfig":{"maxTokens":200}}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":""}}]}],"system":[{}],"toolConfig":{}}`))
	f.Add([]byte(`{"messages":[{"role":"user","content":[{"text":"use the tool"}]}],"toolConfig":{"toolChoice":{"any":{}},"tools":[{"toolSpec":{"name":"f",
		"inputSchema":{"json":{"type":"object","required":["a"],"properties":{"a":{"type":["null","array"],"minItems":9,"items":{"enum":[1]}}}}}}}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := parseQuestion(body)
		if err != nil {
			return
		}
		a := standIn("m", q)
		if joined := strings.Join(slices.Collect(pieces(a.tokens, chunkTokens)), ""); joined != a.text() {
			t.Errorf("pieces %q, text %q", joined, a.text())
		}
		if a.tool != nil && !isObject(a.tool.Input) {
			t.Errorf("input %s of the tool", a.tool.Input)
		}
	})
}

func TestExampleOfSchema(t *testing.T) {
	t.Parallel()
	const question = "Compare 2.5 apples with pears, in blue"
	for _, tt := range []struct{ schema, want string }{
		{`{}`, `{}`},
		{`{"properties":{"a":{"type":"string"}}}`, `{"a":"` + question + `"}`},
		{`{"required":["b"],"properties":{"a":{"type":"string"},"b":{"type":"boolean"}}}`, `{"b":true}`},
		{`{"required":["unknown"]}`, `{"unknown":"` + question + `"}`},
		{`{"properties":{"n":{"type":"number"}}}`, `{"n":2.5}`},
		{`{"properties":{"n":{"type":"integer","minimum":5}}}`, `{"n":5}`},
		{`{"properties":{"c":{"enum":["red","Blue"]}}}`, `{"c":"Blue"}`},
		{`{"properties":{"c":{"enum":["red","green"]}}}`, `{"c":"red"}`},
		{`{"properties":{"c":{"const":7}}}`, `{"c":7}`},
		{`{"properties":{"s":{"type":["null","integer"]}}}`, `{"s":2}`},
		{`{"properties":{"s":{"anyOf":[{"type":"null"},{"type":"string"}]}}}`, `{"s":null}`},
		{`{"properties":{"l":{"type":"array","minItems":2,"items":{"type":"integer"}}}}`, `{"l":[2,2]}`},
		{`{"properties":{"l":{"type":"array"}}}`, `{"l":[]}`},
		{`{"properties":{"o":{"type":"object","required":["x"],"properties":{"x":{"type":"integer"},"y":{}}}}}`, `{"o":{"x":2}}`},
		{`{"properties":{"a":true}}`, `{"a":"` + question + `"}`},
	} {
		var u tool
		u.InputSchema.JSON = json.RawMessage(tt.schema)
		if got := u.use(question); string(got.Input) != tt.want {
			t.Errorf("%s: got %s, want %s", tt.schema, got.Input, tt.want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	ask := func(text string) question {
		return question{Messages: []message{{Role: "user", Content: []block{{"text": wire.Marshal(text)}}}}}
	}
	within := func(t *testing.T, a answer, least, most int) {
		t.Helper()
		if n := len(a.tokens); n < least || n > most {
			t.Errorf("%d tokens, want %d to %d", n, least, most)
		}
		if text := a.text(); strings.ContainsAny(text, "{}") && !strings.Contains(text, `{"__type"`) {
			t.Errorf("a field is left in %q", text)
		}
	}
	for _, tt := range []struct {
		name, question, want string
		least, most          int
	}{
		{"english", "Who are you?", "This is tegata's stand-in and not a real model. You asked m: “Who are you?”.\n\n## ", 120, 250},
		{"japanese", "どなた?", "こちらは tegata の代役で、本物のモデルではありません。「どなた?」というご質問を m 宛てに受け取りました。\n\n## ", 120, 250},
		{"at length", "Tell me At Length", "This is tegata's stand-in and not a real model. You asked m to answer at length", 1200, 1800},
		{"長く", "長く話して", "こちらは tegata の代役で、本物のモデルではありません。", 1200, 1800},
		{"one line", "a\n\nb  c", "This is tegata's stand-in and not a real model. You asked m: “a b c”.", 120, 250},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := standIn("m", ask(tt.question))
			if !strings.HasPrefix(a.text(), tt.want) {
				t.Errorf("got %q, want %q…", a.text(), tt.want)
			}
			within(t, a, tt.least, tt.most)
		})
	}
	for _, tt := range []struct{ question, want string }{
		{"repeat after me: <img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"},
		{" Repeat After Me:\n\tcode\n\n| a |\n", "\tcode\n\n| a |\n"},
		{"復唱: 東京  都", "東京  都"},
		{"復唱：{question}", "{question}"},
	} {
		if got := standIn("m", ask(tt.question)).text(); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.question, got, tt.want)
		}
	}
}
