package iam

import (
	"bytes"
	"encoding/json"
	"strings"
)

// A position is a place in a document, both counted from 1.
type position struct{ Line, Column int }

// A span is where a statement stands: from its first character to after its
// last.
type span struct{ start, end position }

// statementSpans finds the statements of a document that has been parsed
// before, in order.
func statementSpans(document string) []span {
	d := json.NewDecoder(strings.NewReader(document))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil
		}
		if key == "Statement" {
			return spansOf(document, value, int(d.InputOffset())-len(value))
		}
	}
	return nil
}

// spansOf finds the statements in the value of Statement, which begins at an
// offset of the document.
func spansOf(document string, value json.RawMessage, at int) []span {
	if !bytes.HasPrefix(value, []byte("[")) {
		return []span{{positionOf(document, at), positionOf(document, at+len(value))}}
	}
	d := json.NewDecoder(bytes.NewReader(value))
	if _, err := d.Token(); err != nil {
		return nil
	}
	var all []span
	for d.More() {
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return nil
		}
		end := at + int(d.InputOffset())
		all = append(all, span{positionOf(document, end-len(one)), positionOf(document, end)})
	}
	return all
}

func positionOf(document string, offset int) position {
	before := document[:offset]
	return position{Line: strings.Count(before, "\n") + 1, Column: offset - strings.LastIndex(before, "\n")}
}
