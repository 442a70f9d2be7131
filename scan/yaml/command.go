package yaml

import (
	"errors"
	"path"
	"strings"

	"tegata/scan"
)

// errArguments is why nothing is written into a list of arguments: no shell
// reads it that could ask for a token.
var errArguments = errors.New("no shell reads a list of arguments")

// Command returns the text that a list of arguments runs: the script of
// [sh, -c, script], or else the arguments as one line of shell, which can be
// read but not changed. It returns nil for an empty
// list, and if a tag such as !Sub makes an argument.
func Command(args []*Node, origin ...string) *scan.Text {
	for _, a := range args {
		if !a.IsScalar() || strings.HasPrefix(a.Tag, "!") && !strings.HasPrefix(a.Tag, "!!") {
			return nil
		}
	}
	if len(args) == 0 {
		return nil
	}
	if n, lang := Script(args); n != nil {
		return n.Text(lang, origin...)
	}
	b := args[0].text.Within()
	for i, a := range args {
		if i > 0 {
			b.Made(a.At.Start, " ")
		}
		a.word(b)
	}
	return b.Text(scan.Shell, Arguments(), origin...)
}

// Arguments is the layer of words that no shell reads. It refuses all changes.
func Arguments() scan.Layer {
	refuse := func(string) (string, error) { return "", errArguments }
	return scan.Layer{Name: "a list of arguments", Encode: refuse}
}

// Script returns the argument that is a script and its language, as in
// [sh, -c, script]; nil if none is.
func Script(args []*Node) (*Node, scan.Lang) {
	if len(args) == 0 {
		return nil, ""
	}
	lang := scan.Script("#!"+args[0].Str(), scan.Plain)
	for i, a := range args[1:] {
		flag := strings.ToLower(a.Str())
		switch last := i+2 == len(args); {
		case last, !strings.HasPrefix(flag, "-") && !strings.HasPrefix(flag, "/"):
			return nil, ""
		case (lang == scan.Shell || lang == scan.Bash) && flag[0] == '-' && flag[1:] == strings.Trim(flag[1:], "-") && strings.HasSuffix(flag, "c"),
			lang == scan.PowerShell && (flag == "-command" || flag == "-c"),
			lang == scan.Python && flag == "-c":
			return args[i+2], lang
		case windowsShell(args[0].Str()) && (flag == "/c" || flag == "/s"):
			return args[i+2], scan.Batch
		}
	}
	return nil, ""
}

func windowsShell(name string) bool {
	return strings.TrimSuffix(strings.ToLower(path.Base(strings.ReplaceAll(name, `\`, "/"))), ".exe") == "cmd"
}

// word adds a scalar as a word of the shell, quoted if it must be.
func (n *Node) word(b *scan.Builder) {
	n.Take()
	quote := n.Value == "" || strings.ContainsAny(n.Value, " \t\n|&;<>()$`\\\"'*?[#~{}")
	if quote {
		b.Made(n.At.Start, "'")
	}
	for _, p := range n.pieces {
		switch {
		case quote && strings.Contains(p.Text, "'"):
			b.Decoded(p.At, strings.ReplaceAll(p.Text, "'", `'\''`))
		case p.Verbatim:
			b.Verbatim(p.At)
		default:
			b.Decoded(p.At, p.Text)
		}
	}
	if quote {
		b.Made(n.At.End, "'")
	}
}

// Lines returns the text that the scalars of a list make together, one after
// the other on lines of their own: a list of commands.
func Lines(items []*Node, lang scan.Lang, origin ...string) *scan.Text {
	var nodes []*Node
	for _, n := range items {
		if n.IsScalar() && !n.Null() {
			nodes = append(nodes, n)
		}
	}
	switch len(nodes) {
	case 0:
		return nil
	case 1:
		return nodes[0].Text(lang, origin...)
	}
	c := Compose(nodes[0].text)
	for _, n := range nodes {
		c.Scalar(n)
		if !strings.HasSuffix(n.Value, "\n") {
			c.MadeAfter(n, "\n")
		}
	}
	return c.Text(lang, "a list of commands", origin...)
}
