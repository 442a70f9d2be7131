package bedrock

// Converse and ConverseStream
// (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).

// converseDialect is Converse's own way to write a question and its answer.
type converseDialect struct{}

func (converseDialect) parse(body []byte) (question, error) { return parseQuestion(body) }

func (converseDialect) whole(i *inquiry, r reply) any {
	body := map[string]any{
		"output":     map[string]any{"message": map[string]any{"role": "assistant", "content": r.blocks()}},
		"stopReason": r.reason,
		"usage":      usageOf(r.usage),
		"metrics":    map[string]int64{"latencyMs": i.latency()},
	}
	if trace := i.trace(r.guard); trace != nil {
		body["trace"] = trace
	}
	return body
}

// blocks are the content of a message.
func (r reply) blocks() []any {
	content := []any{}
	if r.text != "" {
		content = append(content, map[string]string{"text": r.text})
	}
	for _, t := range r.tools {
		content = append(content, map[string]toolUse{"toolUse": t})
	}
	return content
}

func (converseDialect) scribe(i *inquiry, out *stream) scribe {
	s := &converseScribe{emit: out.event}
	s.finish = func(e ending) {
		metadata := map[string]any{"usage": usageOf(e.usage), "metrics": map[string]int64{"latencyMs": i.latency()}}
		if trace := i.trace(e.guard); trace != nil {
			metadata["trace"] = trace
		}
		s.emit("metadata", metadata)
	}
	return s
}

// A converseScribe writes the events of ConverseStream. A block of text has no
// event of its own that begins it.
type converseScribe struct {
	emit   func(kind string, payload any)
	finish func(ending)
	block  int
	open   bool // a block has begun
	inTool bool // and it is a tool's
}

func (s *converseScribe) begin() { s.emit("messageStart", map[string]any{"role": "assistant"}) }

func (s *converseScribe) piece(p piece) {
	if p.tool != nil || p.text != "" && s.inTool {
		s.endBlock()
	}
	if p.tool != nil {
		s.open, s.inTool = true, true
		s.emit("contentBlockStart", map[string]any{"contentBlockIndex": s.block, "start": map[string]any{
			"toolUse": map[string]string{"toolUseId": p.tool.ID, "name": p.tool.Name},
		}})
	}
	if p.text != "" {
		s.delta(map[string]string{"text": p.text})
	}
	if p.input != "" {
		s.delta(map[string]any{"toolUse": map[string]string{"input": p.input}})
	}
}

func (s *converseScribe) delta(delta any) {
	s.open = true
	s.emit("contentBlockDelta", map[string]any{"contentBlockIndex": s.block, "delta": delta})
}

func (s *converseScribe) endBlock() {
	if s.open {
		s.emit("contentBlockStop", map[string]any{"contentBlockIndex": s.block})
		s.block++
	}
	s.open, s.inTool = false, false
}

func (s *converseScribe) end(e ending) {
	s.endBlock()
	s.emit("messageStop", map[string]any{"stopReason": e.reason})
	s.finish(e)
}
