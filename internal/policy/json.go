package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A member is one key of a JSON object with its value.
type member struct {
	key   string
	value json.RawMessage
}

// members reads a JSON object in its own order, and refuses a repeated key,
// of which encoding/json would silently take the last.
func members(raw []byte) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil {
		return nil, malformed(err)
	} else if t != json.Delim('{') {
		return nil, errors.New("want an object")
	}
	var all []member
	seen := map[string]bool{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, malformed(err)
		}
		m := member{key: key.(string)}
		if err := dec.Decode(&m.value); err != nil {
			return nil, malformed(err)
		}
		if seen[m.key] {
			return nil, fmt.Errorf("key %q is there twice", m.key)
		}
		seen[m.key] = true
		all = append(all, m)
	}
	if _, err := dec.Token(); err != nil {
		return nil, malformed(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("text after the end of the object")
	}
	return all, nil
}

func malformed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early")
	}
	return fmt.Errorf("malformed JSON: %w", err)
}

func isList(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("["))
}

func text(raw json.RawMessage) (string, error) {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", errors.New("want a string")
	}
	return *s, nil
}

// texts reads a string or a list of strings, never empty.
func texts(raw json.RawMessage) ([]string, error) {
	return list(raw, text)
}

// scalars reads what a condition may compare with: strings, numbers and
// booleans, one or a list of them.
func scalars(raw json.RawMessage) ([]string, error) {
	return list(raw, func(item json.RawMessage) (string, error) {
		if s, err := text(item); err == nil {
			return s, nil
		}
		var v any
		if err := json.Unmarshal(item, &v); err != nil {
			return "", malformed(err)
		}
		switch v.(type) {
		case bool, float64:
			return string(bytes.TrimSpace(item)), nil
		}
		return "", errors.New("want a string, a number, a boolean or a list of them")
	})
}

func list(raw json.RawMessage, item func(json.RawMessage) (string, error)) ([]string, error) {
	items := []json.RawMessage{raw}
	if isList(raw) {
		if err := json.Unmarshal(raw, &items); err != nil {
			return nil, malformed(err)
		}
	}
	if len(items) == 0 {
		return nil, errors.New("the list is empty")
	}
	var all []string
	for _, i := range items {
		s, err := item(i)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}
