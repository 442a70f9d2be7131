package terraform

import (
	"strings"

	"tegata/scan"
)

// A line is an argument of a block.
type line struct{ name, value string }

// newBlock adds metadata options at the end of a resource, in its own
// indentation.
func (s *settings) newBlock(lines []line) []scan.Splice {
	body := s.file.text.Body
	open, end := s.block.OpenBraceRange.End.Byte, s.block.CloseBraceRange.Start.Byte
	indent, newline := indentOf(body, s.block.TypeRange.Start.Byte), s.file.newline
	step := stepOf(body[open:end], indent)
	block := indent + step + "metadata_options {" + newline + written(lines, indent+step+step, newline) + indent + step + "}" + newline
	content := strings.TrimRight(body[open:end], " \t\r\n")
	switch {
	case strings.TrimSpace(content) == "":
		return []scan.Splice{{At: span{Start: open, End: end}, Text: newline + block + indent}}
	case !strings.Contains(body[open:end], "\n"): // a block on one line has room for one argument only
		return []scan.Splice{
			{At: span{Start: open, End: open + len(content) - len(strings.TrimLeft(content, " \t"))}, Text: newline + indent + step},
			{At: span{Start: open + len(content), End: end}, Text: newline + newline + block + indent},
		}
	}
	return []scan.Splice{{At: span{Start: open + len(content), End: end}, Text: newline + newline + block + indent}}
}

// insert adds arguments at the end of a block or an object.
func (s *settings) insert(options span, lines []line) []scan.Splice {
	body := s.file.text.Body
	open := options.Start + strings.IndexByte(body[options.Start:options.End], '{') + 1
	end := options.Start + strings.LastIndexByte(body[options.Start:options.End], '}')
	content := strings.TrimRight(body[open:end], " \t\r\n")
	indent, newline := indentOf(body, options.Start), s.file.newline
	step := stepOf(body[open:end], indent)
	if !strings.Contains(body[open:end], "\n") && s.object {
		text := " "
		if strings.TrimSpace(content) != "" && !strings.HasSuffix(content, ",") {
			text = ", "
		}
		for i, l := range lines {
			if i > 0 {
				text += ", "
			}
			text += l.name + " = " + l.value
		}
		return []scan.Splice{{At: span{Start: open + len(content), End: end}, Text: text + " "}}
	}
	splices := []scan.Splice{{At: span{Start: open + len(content), End: end}, Text: newline + written(lines, indent+step, newline) + indent}}
	if trimmed := strings.TrimLeft(content, " \t"); trimmed != "" && !strings.Contains(body[open:end], "\n") {
		splices = append(splices, scan.Splice{At: span{Start: open, End: open + len(content) - len(trimmed)}, Text: newline + indent + step})
	}
	return splices
}

// written returns arguments as terraform fmt writes them.
func written(lines []line, indent, newline string) string {
	width := 0
	for _, l := range lines {
		width = max(width, len(l.name))
	}
	var s strings.Builder
	for _, l := range lines {
		s.WriteString(indent + l.name + strings.Repeat(" ", width-len(l.name)) + " = " + l.value + newline)
	}
	return s.String()
}

// indentOf returns what stands before the first word of the line of an offset.
func indentOf(body string, at int) string {
	line := body[strings.LastIndexByte(body[:at], '\n')+1:]
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// stepOf returns by how much the content of a block is indented further.
func stepOf(content, indent string) string {
	for line := range strings.Lines(content) {
		trimmed := strings.TrimLeft(line, " \t")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if step, ok := strings.CutPrefix(line[:len(line)-len(trimmed)], indent); ok && step != "" && step != " " {
			return step
		}
	}
	return "  "
}

func newlineOf(body string) string {
	if strings.Contains(body, "\r\n") {
		return "\r\n"
	}
	return "\n"
}
