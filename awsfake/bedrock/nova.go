package bedrock

import (
	"encoding/json"
	"unicode/utf8"
)

// Amazon Nova's own form of InvokeModel, which is Converse's but for a few
// names (https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html).

// novaDialect is Nova's way to write a question and its answer.
type novaDialect struct{}

var (
	novaMembers          = []string{"schemaVersion", "messages", "system", "inferenceConfig", "toolConfig"}
	novaInferenceMembers = []string{"maxTokens", "max_new_tokens", "temperature", "topP", "top_p", "topK", "top_k", "stopSequences"}
)

func (novaDialect) parse(body []byte) (question, error) {
	var top struct {
		question
		InferenceConfig struct {
			MaxTokens     *int     `json:"maxTokens"`
			MaxNewTokens  *int     `json:"max_new_tokens"`
			Temperature   *float64 `json:"temperature"`
			TopP          *float64 `json:"topP"`
			StopSequences []string `json:"stopSequences"`
		} `json:"inferenceConfig"`
	}
	var members struct {
		InferenceConfig map[string]json.RawMessage `json:"inferenceConfig"`
	}
	var all map[string]json.RawMessage
	if !utf8.Valid(body) || json.Unmarshal(body, &all) != nil || all == nil || json.Unmarshal(body, &members) != nil || json.Unmarshal(body, &top) != nil {
		return question{}, invalid(malformed)
	}
	q, c := top.question, top.InferenceConfig
	q.InferenceConfig.MaxTokens = c.MaxTokens
	if c.MaxTokens == nil {
		q.InferenceConfig.MaxTokens = c.MaxNewTokens
	}
	q.InferenceConfig.Temperature, q.InferenceConfig.TopP, q.InferenceConfig.StopSequences = c.Temperature, c.TopP, c.StopSequences
	return q, firstError(
		func() error { return onlyKnown(all, novaMembers) },
		func() error { return onlyKnown(members.InferenceConfig, novaInferenceMembers) },
		q.checkConfig, q.checkMessages, q.checkTools)
}

func (novaDialect) whole(i *inquiry, r reply) any {
	body := map[string]any{
		"output":     map[string]any{"message": map[string]any{"role": "assistant", "content": r.blocks()}},
		"stopReason": stopReason(r.ending),
		"usage":      usageOf(r.usage),
	}
	if action := r.guard.action(i); action != "" {
		body["amazon-bedrock-guardrailAction"] = action
	}
	return body
}

func (novaDialect) scribe(i *inquiry, out *stream) scribe {
	s := &converseScribe{emit: func(kind string, payload any) { out.chunk(map[string]any{kind: payload}) }}
	s.finish = func(e ending) {
		last := map[string]any{
			"metadata":        map[string]any{"usage": usageOf(e.usage), "metrics": struct{}{}, "trace": struct{}{}},
			invocationMetrics: i.metrics(e.usage),
		}
		if action := e.guard.action(i); action != "" {
			last["amazon-bedrock-guardrailAction"] = action
		}
		out.chunk(last)
	}
	return s
}
