package logs

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// jsonPattern is { $.eventType = "UpdateTrail" && $.errorCode NOT EXISTS }.
type jsonPattern struct{ holds condition }

func parseJSONPattern(text string) (pattern, error) {
	p := &conditions{text: text[1:], stop: "}", known: func(selector string) bool { return len(parseSelector(selector)) > 0 }}
	holds, err := p.either()
	if err != nil || !p.takes("}") || strings.TrimSpace(p.text) != "" {
		return nil, errPattern
	}
	return jsonPattern{holds}, nil
}

func (p jsonPattern) match(message string) (func(string) (string, bool), bool) {
	d := json.NewDecoder(strings.NewReader(message))
	d.UseNumber()
	var root map[string]any
	if d.Decode(&root) != nil || d.More() {
		return nil, false
	}
	of := func(selector string) []value { return selectJSON(root, selector) }
	first := func(selector string) (string, bool) {
		found := of(selector)
		if len(found) == 0 || found[0].kind == containerValue || found[0].kind == nullValue {
			return "", false
		}
		return found[0].text, true
	}
	return first, p.holds(of)
}

// A step leads from a value of JSON to those in it.
type step struct {
	name  string
	index int // of an array; -1 for a name, -2 for all elements or members
}

const (
	byName   = -1
	wildcard = -2
)

// parseSelector reads $.users[0].email, $.list[*], $.* and $.['cluster.name'];
// nil for what is no selector. One wildcard may be in it.
func parseSelector(selector string) (steps []step) {
	rest, ok := strings.CutPrefix(selector, "$")
	wild := 0
	for ok && rest != "" {
		var s step
		if s, rest, ok = cutStep(rest); s.index == wildcard {
			wild++
		}
		steps = append(steps, s)
	}
	if !ok || wild > 1 {
		return nil
	}
	return steps
}

func cutStep(text string) (s step, rest string, ok bool) {
	text, dot := strings.CutPrefix(text, ".")
	if inner, ok := strings.CutPrefix(text, "['"); ok {
		name, rest, ok := strings.Cut(inner, "']")
		return step{name, byName}, rest, ok
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		index, rest, ok := strings.Cut(inner, "]")
		if index == "*" {
			return step{index: wildcard}, rest, ok
		}
		n, err := strconv.Atoi(index)
		return step{index: n}, rest, ok && err == nil && n >= 0
	}
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	name := text[:end]
	if name == "*" {
		return step{index: wildcard}, text[end:], dot
	}
	return step{name, byName}, text[end:], dot && name != ""
}

// selectJSON returns what a selector leads to.
func selectJSON(root any, selector string) (found []value) {
	nodes := []any{root}
	for _, s := range parseSelector(selector) {
		var next []any
		for _, n := range nodes {
			next = append(next, s.into(n)...)
		}
		nodes = next
	}
	for _, n := range nodes {
		found = append(found, valueOf(n))
	}
	return found
}

func (s step) into(node any) []any {
	switch n := node.(type) {
	case map[string]any:
		if s.index == wildcard {
			var all []any
			for _, key := range slices.Sorted(maps.Keys(n)) {
				all = append(all, n[key])
			}
			return all
		}
		if member, ok := n[s.name]; ok && s.index == byName {
			return []any{member}
		}
	case []any:
		if s.index == wildcard {
			return n
		}
		if s.index >= 0 && s.index < len(n) {
			return n[s.index : s.index+1]
		}
	}
	return nil
}

func valueOf(node any) value {
	switch n := node.(type) {
	case string:
		return value{n, stringValue}
	case json.Number:
		return value{n.String(), numberValue}
	case bool:
		return value{strconv.FormatBool(n), boolValue}
	case nil:
		return value{"null", nullValue}
	}
	return value{kind: containerValue}
}
