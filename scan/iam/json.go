package iam

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	"tegata/scan"
)

// A node is a value of a JSON document with its place.
type node struct {
	kind    kind
	at      scan.Span
	text    string // of a text
	members []member
	list    []node
}

type member struct {
	name  string
	value node
}

type kind int

const (
	absent kind = iota
	text
	object
	list
	other // numbers, true, null
)

// parse reads a policy document, or one statement of it that stands alone, as
// documentation and the arguments of programs have it.
func parse(body string) (node, bool) {
	r := reader{body: body, tokens: json.NewDecoder(strings.NewReader(body))}
	n, err := r.value()
	if err != nil {
		return node{}, false
	}
	if _, err := r.tokens.Token(); err != io.EOF {
		return node{}, false
	}
	if n.member("Statement").kind == absent && n.member("Effect").kind == text {
		n = node{kind: object, members: []member{{"Statement", n}}}
	}
	return n, n.member("Statement").kind != absent
}

// member returns a member of an object, or a node without a kind.
func (n node) member(name string) node {
	for _, m := range n.members {
		if strings.EqualFold(m.name, name) {
			return m.value
		}
	}
	return node{}
}

// items returns the values of a list; a single one is a list of one.
func (n node) items() []node {
	switch n.kind {
	case absent:
		return nil
	case list:
		return n.list
	}
	return []node{n}
}

// deepest is how far values may stand within each other; IAM needs seven.
const deepest = 64

var errDeep = errors.New("values stand too deeply within each other")

// A reader makes nodes of the tokens of a document.
type reader struct {
	body   string
	tokens *json.Decoder
	depth  int
}

func (r *reader) value() (node, error) {
	if r.depth++; r.depth > deepest {
		return node{}, errDeep
	}
	defer func() { r.depth-- }()
	start := r.next()
	token, err := r.tokens.Token()
	if err != nil {
		return node{}, err
	}
	n := node{kind: other}
	switch token := token.(type) {
	case string:
		n.kind, n.text = text, token
	case json.Delim:
		if token == '{' {
			n.kind = object
			err = r.object(&n)
		} else {
			n.kind = list
			err = r.list(&n)
		}
	}
	n.at = scan.Span{Start: start, End: int(r.tokens.InputOffset())}
	return n, err
}

func (r *reader) object(n *node) error {
	for r.tokens.More() {
		name, err := r.tokens.Token()
		if err != nil {
			return err
		}
		value, err := r.value()
		if err != nil {
			return err
		}
		n.members = append(n.members, member{name.(string), value})
	}
	_, err := r.tokens.Token()
	return err
}

func (r *reader) list(n *node) error {
	for r.tokens.More() {
		value, err := r.value()
		if err != nil {
			return err
		}
		n.list = append(n.list, value)
	}
	_, err := r.tokens.Token()
	return err
}

// next returns where the next value starts.
func (r *reader) next() int {
	at := int(r.tokens.InputOffset())
	return at + len(r.body[at:]) - len(strings.TrimLeft(r.body[at:], " \t\r\n,:"))
}
