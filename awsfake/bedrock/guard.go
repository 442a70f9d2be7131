package bedrock

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"tegata/awsfake/wire"
)

// A guardrail at work: it reads what goes to the model and what comes back.
// Denied words are all that it acts on.

const (
	guardrailIntervened = "guardrail_intervened"
	noGuardrail         = "The guardrail identifier or version provided in the request does not exist."
)

// A guard is a guardrail in the version that a call names.
type guard struct {
	id, arn, version string
	rail             GuardrailVersion
	tracing          bool
}

// guardConfig is how Converse asks for one; InvokeModel has headers.
type guardConfig struct {
	ID      string `json:"guardrailIdentifier"`
	Version string `json:"guardrailVersion"`
	Trace   string `json:"trace"`
}

// findGuard returns the guardrail that a call asks for, if any, and lets only
// those have it who may apply it.
func (s *Service) findGuard(c *wire.Call, account sync.Locker) (*guard, error) {
	var in struct {
		GuardrailConfig *guardConfig `json:"guardrailConfig"`
	}
	if strings.HasPrefix(c.Operation, "Converse") {
		json.Unmarshal(c.Body, &in) // what is no JSON is refused with the question
	} else if h := c.Request.Header; h.Get("X-Amzn-Bedrock-GuardrailIdentifier") != "" {
		in.GuardrailConfig = &guardConfig{h.Get("X-Amzn-Bedrock-GuardrailIdentifier"), h.Get("X-Amzn-Bedrock-GuardrailVersion"),
			strings.ToLower(h.Get("X-Amzn-Bedrock-Trace"))}
	}
	if in.GuardrailConfig == nil {
		return nil, nil
	}
	account.Lock()
	defer account.Unlock()
	g, err := s.guard(c, in.GuardrailConfig.ID, in.GuardrailConfig.Version)
	if err == nil {
		g.tracing = strings.HasPrefix(in.GuardrailConfig.Trace, "enabled")
	}
	return g, err
}

// guard looks a guardrail up by its id or ARN and its version.
func (s *Service) guard(c *wire.Call, id, version string) (*guard, error) {
	id = strings.TrimPrefix(id, guardrailARN(c, ""))
	arn := guardrailARN(c, id)
	if err := c.Authorize("bedrock:ApplyGuardrail", arn, nil); err != nil {
		return nil, err
	}
	found, ok := s.region(c).Guardrails[id]
	if !ok {
		return nil, invalid(noGuardrail)
	}
	rail, ok := found.Versions[version]
	if !ok {
		return nil, invalid(noGuardrail)
	}
	return &guard{id: id, arn: arn, version: version, rail: *rail}, nil
}

// identifier is the value of a condition key: the ARN, and the version but for
// the draft.
func (g *guard) identifier() string {
	if g.version == draft {
		return g.arn
	}
	return g.arn + ":" + g.version
}

// A finding is a denied word in a text.
type finding struct {
	Match    string `json:"match"`
	Action   string `json:"action"` // BLOCKED or NONE
	Detected bool   `json:"detected"`
}

// check finds the denied words in texts that go in or come out.
func (g *guard) check(texts []string, input bool) (found []finding, blocked bool) {
	for _, w := range g.rail.words() {
		action, enabled := w.OutputAction, w.OutputEnabled
		if input {
			action, enabled = w.InputAction, w.InputEnabled
		}
		if enabled != nil && !*enabled {
			continue
		}
		for _, text := range texts {
			if !hasWord(text, w.Text) {
				continue
			}
			f := finding{w.Text, "BLOCKED", true}
			if action == "NONE" {
				f.Action = "NONE"
			}
			found, blocked = append(found, f), blocked || f.Action == "BLOCKED"
			break
		}
	}
	return found, blocked
}

// hasWord reports whether a text has a word or phrase, in letters of either
// case, and not as a part of a longer word. Scripts without spaces have no
// such borders.
func hasWord(text, word string) bool {
	text, word = strings.ToLower(text), strings.ToLower(word)
	for from := 0; word != ""; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			break
		}
		begin := from + i
		end := begin + len(word)
		first, _ := utf8.DecodeRuneInString(word)
		last, _ := utf8.DecodeLastRuneInString(word)
		before, _ := utf8.DecodeLastRuneInString(text[:begin])
		after, _ := utf8.DecodeRuneInString(text[end:])
		if !(joins(before) && joins(first)) && !(joins(last) && joins(after)) {
			return true
		}
		from = begin + utf8.RuneLen(first)
	}
	return false
}

// joins reports whether r makes a longer word of the letters beside it.
func joins(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) &&
		!unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han)
}

// verdicts are what a guardrail found in one exchange.
type verdicts struct {
	input, output []finding
	intervened    bool
}

// action is a member of InvokeModel's answers; "" means that no guardrail was
// asked.
func (v *verdicts) action(i *inquiry) string {
	switch {
	case i.guard == nil || v == nil:
		return ""
	case v.intervened:
		return "INTERVENED"
	}
	return "NONE"
}

// trace tells what a guardrail found, to a call that wants to know.
func (i *inquiry) trace(v *verdicts) any {
	if v == nil || !i.guard.tracing {
		return nil
	}
	rail := map[string]any{"inputAssessment": map[string]any{i.guard.id: assessment(v.input)}}
	if v.output != nil {
		rail["outputAssessments"] = map[string]any{i.guard.id: []any{assessment(v.output)}}
	}
	if v.intervened {
		rail["actionReason"] = "Guardrail blocked."
	} else {
		rail["actionReason"] = "No action."
	}
	return map[string]any{"guardrail": rail}
}

func assessment(found []finding) map[string]any {
	if len(found) == 0 {
		return map[string]any{}
	}
	return map[string]any{"wordPolicy": map[string]any{"customWords": found, "managedWordLists": []any{}}}
}

// A guardedVoice says only what its guardrail lets through. An answer is held
// back until all of it has been read.
type guardedVoice struct {
	guard *guard
	voice voice
}

func (v guardedVoice) speak(ctx context.Context, q question, say func(piece) error) (ending, error) {
	found, blocked := v.guard.check(q.guarded(), true)
	seen := &verdicts{input: found, intervened: blocked}
	if blocked {
		return ending{reason: guardrailIntervened, guard: seen}, say(piece{text: v.guard.rail.BlockedInput})
	}
	var held []piece
	var text strings.Builder
	e, err := v.voice.speak(ctx, q, func(p piece) error {
		held = append(held, p)
		text.WriteString(p.text)
		return nil
	})
	if err != nil {
		return e, err
	}
	e.guard = seen
	if seen.output, seen.intervened = v.guard.check([]string{text.String()}, false); seen.intervened {
		e.reason, e.stop = guardrailIntervened, ""
		held = []piece{{text: v.guard.rail.BlockedOutput}}
	}
	for _, p := range held {
		if err := say(p); err != nil {
			return e, err
		}
	}
	return e, nil
}

// guarded are the texts that a guardrail reads: those that are marked for it,
// or else all messages.
func (q question) guarded() []string {
	var marked, all []string
	for _, m := range q.Messages {
		for _, b := range m.Content {
			if text, ok := b.guardText(); ok {
				marked = append(marked, text)
			} else if text, ok := b.text(); ok {
				all = append(all, text)
			}
		}
	}
	if marked != nil {
		return marked
	}
	return all
}

// guardText is the text of a block that is marked for guardrails.
func (b block) guardText() (string, bool) {
	var content struct {
		Text *struct {
			Text string `json:"text"`
		} `json:"text"`
	}
	raw, ok := b["guardContent"]
	if !ok || json.Unmarshal(raw, &content) != nil || content.Text == nil {
		return "", false
	}
	return content.Text.Text, true
}
