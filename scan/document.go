package scan

import (
	"errors"
	"strings"
)

// Document is a text for people with code in it. It is read only if somebody
// asks for it by name.
const Document Lang = "document"

// errFence is for what would end a block of code too early.
var errFence = errors.New("the line ends the block of code")

// document finds the blocks of code in Markdown; a text without any is read
// line by line.
//
// Source: https://spec.commonmark.org/0.31.2/#fenced-code-blocks
func document(t *Text) (f Facts) {
	lines, at := strings.SplitAfter(t.Body, "\n"), 0
	for i := 0; i < len(lines); i++ {
		fence, info, indent := openingFence(lines[i])
		at += len(lines[i])
		if fence == "" {
			continue
		}
		b := t.Within()
		for i++; i < len(lines) && !closes(lines[i], fence); i++ {
			own := len(lines[i]) - len(strings.TrimLeft(lines[i], " "))
			b.Verbatim(Span{at + min(own, indent), at + len(lines[i])})
			at += len(lines[i])
		}
		if i < len(lines) {
			at += len(lines[i])
		}
		f.Texts = append(f.Texts, b.Text("", fenced(fence), "block of "+info))
	}
	for _, block := range f.Texts {
		block.Lang = langOf(strings.TrimPrefix(block.Origin[len(block.Origin)-1], "block of "), block.Body)
	}
	if len(f.Texts) == 0 {
		b := t.Within()
		b.Verbatim(Span{0, len(t.Body)})
		f.Texts = []*Text{b.Text(Plain, Layer{Name: "a document", Encode: func(s string) (string, error) { return s, nil }})}
	}
	return f
}

// openingFence reads a line such as ```bash. The fence is "" for other lines.
func openingFence(line string) (fence, info string, indent int) {
	text := strings.TrimLeft(line, " -*+0123456789.)") // it may begin an item of a list
	for _, mark := range []string{"`", "~"} {
		rest := strings.TrimLeft(text, mark)
		if n := len(text) - len(rest); n >= 3 && !strings.Contains(rest, "`") {
			word, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
			return text[:n], strings.ToLower(word), len(line) - len(text)
		}
	}
	return "", "", 0
}

func closes(line, fence string) bool {
	text := strings.TrimSpace(line)
	return strings.HasPrefix(text, fence) && strings.Trim(text, fence[:1]) == ""
}

func fenced(fence string) Layer {
	return Layer{Name: "a block of code", Encode: func(s string) (string, error) {
		for line := range strings.Lines(s) {
			if closes(line, fence) {
				return "", errFence
			}
		}
		return s, nil
	}}
}

// langOf reads the word that follows a fence; names of languages are often
// those of their files' endings.
func langOf(word, body string) Lang {
	switch word {
	case "shell", "console", "shell-session", "bash", "zsh":
		return Bash
	case "dockerfile", "docker":
		return Docker
	case "makefile", "make":
		return Make
	case "systemd", "ini", "service":
		return Systemd
	case "python", "ruby", "powershell", "javascript", "typescript", "csharp", "terraform", "golang":
		word = map[string]string{"python": "py", "ruby": "rb", "powershell": "ps1", "javascript": "js", "typescript": "ts", "csharp": "cs", "terraform": "tf", "golang": "go"}[word]
	case "":
		return KindOf("block", []byte(body))
	}
	l := KindOf("block."+word, []byte(body))
	switch {
	case l == Plain && isYAML("block."+word) && isListOfScripts(body):
		return CloudInit // what stands under runcmd
	case l == "":
		return Plain
	}
	return l
}

// isListOfScripts reports whether YAML begins with a block of lines in a list.
func isListOfScripts(body string) bool {
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "#") {
			return strings.HasPrefix(line, "- |") || strings.HasPrefix(line, "- >")
		}
	}
	return false
}
