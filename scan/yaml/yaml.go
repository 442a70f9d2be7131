// Package yaml reads YAML, and JSON with it, for those who change it where it
// stands: every scalar knows which bytes of the file stand for its own, and how
// to write there what its reader is to see. Nothing is printed anew.
//
// It reads what YAML 1.2.2 says, and is lenient where programs are: pairs of
// \u escapes are one character, as in JSON, and indentation within brackets and
// quotes is free.
//
// Source: https://yaml.org/spec/1.2.2/
package yaml

import (
	"iter"

	"tegata/scan"
)

// A Node is a value in a document.
type Node struct {
	Kind   Kind
	Style  Style     // of a scalar
	Flow   bool      // of a mapping or a sequence: in brackets
	Tag    string    // as written, "!Sub"; empty if none is
	At     scan.Span // in the text, from its tag or first byte on; empty for a value that is left out
	Value  string    // of a scalar
	Items  []*Node   // of a sequence
	Pairs  []Pair    // of a mapping
	Column int       // of a block's keys or dashes, from 0

	text   *scan.Text
	body   scan.Span // At, but for tag and anchor
	indent int       // of the block that the node stands in; -1 if in none
	inFlow bool      // the node stands within brackets
	pieces []Piece
	origin *Node // of a scalar: itself, also in a copy with another tag
	taken  bool  // somebody reads the scalar
}

// A Kind is what a node consists of.
type Kind int

// The kinds of nodes. An alias is the node that it names.
const (
	Scalar Kind = iota
	Sequence
	Mapping
)

// A Pair is a key of a mapping with its value.
type Pair struct{ Key, Value *Node }

// A Piece is a part of a scalar's value, and where it comes from.
type Piece struct {
	At       scan.Span
	Text     string
	Verbatim bool // the text stands there byte by byte
}

// Pieces returns what the value of a scalar consists of. What lies between them
// in the file, such as the indentation of a block, stands for nothing.
func (n *Node) Pieces() []Piece {
	if n == nil {
		return nil
	}
	return n.pieces
}

// Get returns the value of a key, nil if there is none. A key that is merged in
// by << counts, if the mapping has none of its own.
//
// Source: https://yaml.org/type/merge.html
func (n *Node) Get(key string) *Node {
	return n.get(key, 0)
}

// mergeDepth bounds merges of merges; a mapping can be made to merge itself.
const mergeDepth = 8

func (n *Node) get(key string, depth int) *Node {
	if n == nil || depth > mergeDepth {
		return nil
	}
	var merged *Node
	for _, p := range n.Pairs {
		if p.Key.Value == key && p.Key.Kind == Scalar {
			return p.Value
		}
		if p.Key.Value == "<<" && merged == nil {
			for _, from := range append([]*Node{p.Value}, p.Value.Items...) {
				if merged == nil {
					merged = from.get(key, depth+1)
				}
			}
		}
	}
	return merged
}

// Path follows keys from mapping to mapping, and returns nil where one is
// missing.
func (n *Node) Path(keys ...string) *Node {
	for _, key := range keys {
		n = n.Get(key)
	}
	return n
}

// Str returns the value of a scalar; empty if the node is none, or there is no
// node.
func (n *Node) Str() string {
	if n == nil || n.Kind != Scalar {
		return ""
	}
	return n.Value
}

// IsScalar reports whether there is a node, and it is a scalar.
func (n *Node) IsScalar() bool { return n != nil && n.Kind == Scalar }

// Null reports whether nothing is said: no node, or a null.
func (n *Node) Null() bool {
	if n == nil {
		return true
	}
	if n.Kind != Scalar || n.Style != Plain {
		return false
	}
	switch n.Value {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}

// List returns the items of a sequence, or the node itself if it is anything
// else: what takes one or several.
func (n *Node) List() []*Node {
	switch {
	case n.Null():
		return nil
	case n.Kind == Sequence:
		return n.Items
	}
	return []*Node{n}
}

// All walks over a node and all that it holds, from outside, each once however
// many aliases name it.
func (n *Node) All() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		n.walk(map[*Node]bool{}, yield)
	}
}

func (n *Node) walk(seen map[*Node]bool, yield func(*Node) bool) bool {
	if n == nil || seen[n] {
		return true
	}
	seen[n] = true
	if !yield(n) {
		return false
	}
	for _, item := range n.Items {
		if !item.walk(seen, yield) {
			return false
		}
	}
	for _, p := range n.Pairs {
		if !p.Key.walk(seen, yield) || !p.Value.walk(seen, yield) {
			return false
		}
	}
	return true
}
