package yaml

import (
	"strings"

	"tegata/scan"
)

// Take notes that somebody reads a scalar, so that it is not among those that
// are left.
func (n *Node) Take() {
	if n != nil && n.origin != nil {
		n.origin.taken = true
	}
}

// Left returns, once all that is known of a kind of documents has been read, the
// scalars in which an address of the metadata service stands nevertheless:
// scripts in places that nobody has told of, and what is for people.
func Left(docs []*Node) (texts []*scan.Text) {
	for _, doc := range docs {
		for n := range doc.All() {
			for _, p := range n.Pairs {
				texts = p.Value.left(texts, p.Key.Str())
				for _, item := range p.Value.Items {
					if isForPeople(p.Key.Str()) {
						texts = item.left(texts, p.Key.Str())
					}
				}
			}
			for _, item := range n.Items {
				texts = item.left(texts, "")
			}
		}
	}
	return texts
}

// ForPeople returns a scalar as what nobody runs, if an address stands in it that
// nobody has read.
func ForPeople(n *Node) []*scan.Text {
	texts := n.left(nil, "")
	for _, t := range texts {
		t.Lang = scan.Prose
	}
	return texts
}

// left adds the scalar that is the value of a key, if it is one to be read.
func (n *Node) left(texts []*scan.Text, key string) []*scan.Text {
	if !n.IsScalar() || n.origin == nil || n.origin.taken {
		return texts
	}
	if target, ok := scan.FindTarget(n.Value); !ok || target.Whose == scan.Other {
		return texts
	}
	var origin []string
	if key != "" {
		origin = []string{key}
	}
	return append(texts, n.Text(likely(key, n.Value), origin...))
}

// isForPeople reports whether the value of a key tells people something.
func isForPeople(key string) bool {
	switch key = strings.ToLower(key); key {
	case "desc", "doc", "docs", "message", "msg", "fail_msg", "success_msg", "note", "notes", "title", "help", "usage", "summary", "comment", "_comment",
		"example", "examples", "remediation", "rationale", "markdown", "prompt", "payload", "payloads", "pattern", "patterns", "regex", "regexp":
		return true
	}
	return strings.HasSuffix(key, "description") || strings.HasSuffix(key, "documentation")
}

// likely returns what a scalar is written in: by its first line, or by the name
// of its key.
func likely(key, value string) scan.Lang {
	key = strings.ToLower(key)
	switch {
	case isForPeople(key):
		return scan.Prose
	case strings.HasPrefix(value, "#cloud-config"):
		return scan.CloudInit
	case isPowerShell(value):
		return scan.PowerShell
	case strings.Contains(key, "script"), strings.Contains(key, "command"):
		return scan.Script(value, scan.Shell)
	}
	return scan.Script(value, scan.Plain)
}
