package code

import (
	"path"
	"strings"

	"tegata/scan"
)

// A dialect is how a language writes what the lexer must tell apart.
type dialect struct {
	lang     string
	comments []string    // to the end of the line
	blocks   [][2]string // comments between two marks
	forms    []form      // of strings; an opening mark stands before its own beginnings
	newlines bool        // the end of a line ends a statement
	indented bool        // functions end by indentation
	loose    bool        // arguments may stand without parentheses
	regex    bool        // a slash may open a regular expression
	heredoc  string      // what opens one: "<<"
	join     string      // the operator that joins strings, if it isn't +
	arrow    bool        // -> is member access
	keyword  string      // without which there is no function; "" if types and braces tell
	first    bool        // of the words of a parameter the first is its name
}

// A form is one way of writing a string.
type form struct {
	open, close string
	escapes     bool   // by a backslash
	doubled     bool   // the closing mark twice is itself
	lines       bool   // it may have more than one
	command     bool   // a shell runs it
	indented    bool   // indentation that all lines have is left out
	hole        string // what begins an expression within: "${", "#{", "{", "$"
}

var (
	double  = form{open: `"`, close: `"`, escapes: true}
	single  = form{open: `'`, close: `'`, escapes: true}
	triple  = form{open: `"""`, close: `"""`, escapes: true, lines: true}
	cBlock  = [2]string{"/*", "*/"}
	slashes = []string{"//"}
)

// dialectOf returns how a text is written, or nil if it is read line by line.
func dialectOf(t *scan.Text) *dialect {
	switch t.Lang {
	case scan.Python:
		return python()
	case scan.Go:
		return &dialect{lang: "go", comments: slashes, blocks: [][2]string{cBlock}, newlines: true, keyword: "func", first: true,
			forms: []form{double, {open: "`", close: "`", lines: true}, single}}
	case scan.JavaScript:
		return &dialect{lang: "javascript", comments: slashes, blocks: [][2]string{cBlock}, newlines: true, regex: true, first: true,
			forms: []form{double, single, {open: "`", close: "`", escapes: true, lines: true, hole: "${"}}}
	case scan.Java:
		if strings.HasPrefix(path.Base(strings.ToLower(t.Path)), "jenkinsfile") {
			return java(".groovy")
		}
		return java(path.Ext(t.Path))
	case scan.CSharp:
		return csharp()
	case scan.Ruby:
		return ruby()
	case scan.PHP:
		return php()
	}
	if t.Embedded() {
		return nil
	}
	return byName(strings.ToLower(path.Ext(t.Path)))
}

// byName knows the languages that have no detector of their own.
func byName(ext string) *dialect {
	switch ext {
	case ".pl", ".pm", ".t", ".cgi":
		return perl()
	case ".lua":
		return &dialect{lang: "lua", blocks: [][2]string{{"--[[", "]]"}}, comments: []string{"--"}, newlines: true, indented: true, loose: true, join: "..", keyword: "function", first: true,
			forms: []form{double, single, {open: "[[", close: "]]", lines: true}}}
	case ".rs":
		return &dialect{lang: "rust", comments: slashes, blocks: [][2]string{cBlock}, keyword: "fn", first: true,
			forms: []form{{open: `r#"`, close: `"#`, lines: true}, {open: `"`, close: `"`, escapes: true, lines: true}}}
	case ".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".m", ".swift":
		return &dialect{lang: "c", comments: slashes, blocks: [][2]string{cBlock}, arrow: true, forms: []form{double, single}}
	case ".kt", ".kts", ".scala", ".groovy", ".gradle":
		return java(ext)
	}
	return nil
}

func perl() *dialect {
	d := &dialect{lang: "perl", comments: []string{"#"}, blocks: [][2]string{{"\n=pod", "\n=cut"}, {"\n=head", "\n=cut"}}, keyword: "sub", loose: true, heredoc: "<<", join: ".", arrow: true, regex: true,
		forms: []form{{open: `"`, close: `"`, escapes: true, lines: true, hole: "$"}, {open: `'`, close: `'`, escapes: true, lines: true},
			{open: "`", close: "`", escapes: true, lines: true, command: true, hole: "$"}}}
	for open, close := range map[string]string{"(": ")", "{": "}", "[": "]", "|": "|", "!": "!", "/": "/"} {
		d.forms = append(d.forms, form{open: "qx" + open, close: close, escapes: true, lines: true, command: true, hole: "$"})
	}
	return d
}

func python() *dialect {
	d := &dialect{lang: "python", comments: []string{"#"}, newlines: true, indented: true, keyword: "def", first: true}
	for _, raw := range []bool{false, true} {
		for _, format := range []bool{false, true} {
			hole := map[bool]string{true: "{"}[format]
			for _, prefix := range pythonPrefixes(raw, format) {
				for _, quote := range []string{`"`, `'`} {
					d.forms = append(d.forms,
						form{open: prefix + strings.Repeat(quote, 3), close: strings.Repeat(quote, 3), escapes: !raw, lines: true, hole: hole},
						form{open: prefix + quote, close: quote, escapes: !raw, hole: hole})
				}
			}
		}
	}
	return d
}

// pythonPrefixes returns how strings of a kind begin, in lower case.
//
// Source: https://docs.python.org/3/reference/lexical_analysis.html#string-and-bytes-literals
func pythonPrefixes(raw, format bool) []string {
	switch {
	case raw && format:
		return []string{"rf", "fr"}
	case raw:
		return []string{"r", "br", "rb", "ur"}
	case format:
		return []string{"f"}
	}
	return []string{"", "b", "u"}
}

func java(ext string) *dialect {
	d := &dialect{lang: "java", comments: slashes, blocks: [][2]string{cBlock}, forms: []form{triple, double, single}}
	switch ext {
	case ".kt", ".kts", ".scala", ".groovy", ".gradle":
		text, line := triple, double
		text.hole, line.hole = "$", "$"
		d.forms = []form{text, {open: "'''", close: "'''", escapes: true, lines: true}, line, single}
		d.newlines, d.loose = true, ext == ".groovy" || ext == ".gradle"
		d.first = ext == ".kt" || ext == ".kts" || ext == ".scala"
		switch ext {
		case ".scala":
			d.keyword = "def"
		case ".kt", ".kts":
			d.keyword = "fun"
		}
	}
	return d
}

func csharp() *dialect {
	return &dialect{lang: "csharp", comments: append([]string{"#"}, slashes...), blocks: [][2]string{cBlock}, forms: []form{
		{open: `$@"`, close: `"`, doubled: true, lines: true, hole: "{"},
		{open: `@$"`, close: `"`, doubled: true, lines: true, hole: "{"},
		{open: `@"`, close: `"`, doubled: true, lines: true},
		{open: `$"""`, close: `"""`, lines: true, hole: "{"},
		{open: `"""`, close: `"""`, lines: true},
		{open: `$"`, close: `"`, escapes: true, hole: "{"},
		double, single,
	}}
}

func ruby() *dialect {
	d := &dialect{lang: "ruby", comments: []string{"#"}, blocks: [][2]string{{"\n=begin", "\n=end"}}, newlines: true, indented: true, loose: true, regex: true, heredoc: "<<", keyword: "def", first: true,
		forms: []form{
			{open: `"`, close: `"`, escapes: true, lines: true, hole: "#{"},
			{open: `'`, close: `'`, escapes: true, lines: true},
			{open: "`", close: "`", escapes: true, lines: true, command: true, hole: "#{"},
		}}
	for open, close := range map[string]string{"(": ")", "{": "}", "[": "]", "|": "|", "!": "!", "<": ">"} {
		d.forms = append(d.forms,
			form{open: "%x" + open, close: close, escapes: true, lines: true, command: true, hole: "#{"},
			form{open: "%Q" + open, close: close, escapes: true, lines: true, hole: "#{"},
			form{open: "%q" + open, close: close, escapes: true, lines: true},
			form{open: "%w" + open, close: close, escapes: true, lines: true},
			form{open: "%i" + open, close: close, escapes: true, lines: true})
		if open != "<" && open != "!" {
			d.forms = append(d.forms, form{open: "%" + open, close: close, escapes: true, lines: true, hole: "#{"})
		}
	}
	return d
}

func php() *dialect {
	return &dialect{lang: "php", comments: []string{"//", "#"}, blocks: [][2]string{cBlock}, heredoc: "<<<", join: ".", arrow: true, keyword: "function",
		forms: []form{
			{open: `"`, close: `"`, escapes: true, lines: true, hole: "$"},
			{open: `'`, close: `'`, escapes: true, lines: true},
			{open: "`", close: "`", escapes: true, lines: true, command: true, hole: "$"},
		}}
}
