// Package makefile reads makefiles: the recipes, and what make itself has the
// shell run.
//
// Source: https://www.gnu.org/software/make/manual/make.html
package makefile

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"tegata/scan"
)

// Detect returns what a makefile gives to the shell as texts.
func Detect(t *scan.Text) scan.Facts {
	f := &file{text: t, shell: scan.Shell, variables: map[string]string{}, values: map[string]string{}, exported: map[string]bool{}}
	lines := linesOf(t)
	for _, l := range lines {
		f.assign(l)
	}
	f.shell = shellOf(f.variables["SHELL"])
	for _, l := range lines {
		f.read(l)
	}
	f.flush()
	slices.SortStableFunc(f.texts, func(a, b *scan.Text) int { return a.InFile(scan.Span{}).Start - b.InFile(scan.Span{}).Start })
	return scan.Facts{Texts: f.texts}
}

// A file is what is known of a makefile while it is read.
type file struct {
	text      *scan.Text
	shell     scan.Lang
	oneShell  bool              // a recipe is one script
	variables map[string]string // as written; of several lines not at all
	values    map[string]string // with what make puts in, as far as asked for
	exported  map[string]bool
	all       bool // every variable is exported
	open      int  // references without an end
	texts     []*scan.Text
	recipe    []scan.Span // lines that one shell reads
	target    string
}

func shellOf(command string) scan.Lang {
	if command == "" {
		return scan.Shell
	}
	return scan.Script("#!"+command, scan.Shell)
}

// assign notes the variable that a line sets, and what the line says about all.
func (f *file) assign(l line) {
	if l.kind != ordinary {
		return
	}
	s := strings.TrimSpace(l.text.Body)
	if strings.HasPrefix(s, ".ONESHELL") {
		f.oneShell = true
	}
	export := false
	for _, word := range []string{"override ", "private ", "export "} {
		if rest, ok := strings.CutPrefix(s, word); ok {
			s, export = strings.TrimSpace(rest), export || word == "export "
		}
	}
	name, operator, value := assignment(s)
	switch {
	case operator == "":
		if export || s == "export" {
			f.all = f.all || s == "export"
			for _, name := range strings.Fields(s) {
				f.exported[name] = true
			}
		}
		return
	case operator == "+=" && len(f.variables[name]) > maxValue:
		return
	case operator == "+=" && f.variables[name] != "":
		value = f.variables[name] + " " + value
	case operator == "?=" && f.variables[name] != "":
		return
	case operator == "!=":
		value = "$(shell )"
	}
	f.variables[name] = value
	f.exported[name] = f.exported[name] || export
}

// assignment takes a line such as NAME := value to pieces; the operator is
// empty if the line is none.
func assignment(s string) (name, operator, value string) {
	i := strings.IndexByte(s, '=')
	if i < 1 {
		return "", "", ""
	}
	name = s[:i]
	operator = "="
	for _, o := range []string{":::", "::", ":", "?", "+", "!"} {
		if before, ok := strings.CutSuffix(name, o); ok {
			name, operator = before, o+"="
			break
		}
	}
	name = strings.TrimSpace(name)
	if name == "" || strings.ContainsAny(name, " \t:$#'\"") {
		return "", "", ""
	}
	return name, operator, strings.TrimSpace(uncommented(s[i+1:]))
}

// uncommented is a line up to its comment.
func uncommented(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] == '#' && (i == 0 || s[i-1] != '\\') {
			return s[:i]
		}
	}
	return s
}

// read hands over what the shell gets of a line.
func (f *file) read(l line) {
	if l.kind == recipe {
		f.command(l.at)
		return
	}
	f.flush()
	if l.kind == defined {
		f.yield(f.text, []scan.Span{withoutPrefix(f.text.Body, l.at)}, recipeLayer, "define "+l.name)
		return
	}
	body := l.text.Body
	if comment := strings.TrimSpace(body); comment == "" || comment[0] == '#' {
		return
	}
	name, operator, _ := assignment(strings.TrimSpace(body))
	switch i := strings.IndexByte(body, ';'); {
	case operator == "!=":
		start := strings.Index(body, "!=") + 2
		f.yield(l.text, []scan.Span{{Start: start, End: len(body)}}, recipeLayer, name)
		return
	case operator == "" && i > 0 && strings.Contains(body[:i], ":") && !strings.Contains(body[:i], "$("):
		f.yield(l.text, []scan.Span{withoutPrefix(body, scan.Span{Start: i + 1, End: len(body)})}, recipeLayer, targetOf(body))
		return
	case operator == "":
		f.target = targetOf(body)
	case forShell(body):
		start := strings.IndexByte(body, '=') + 1
		f.yield(l.text, []scan.Span{{Start: start, End: start + len(uncommented(body[start:]))}}, recipeLayer, name)
		return
	}
	f.functions(l.text, scan.Span{Start: 0, End: len(body)}, cmp.Or(name, f.target), 0)
}

// forShell reports whether a variable's value has a command in it that make
// leaves to the shell, and that asks the metadata service: it is told of where
// it is written, not wherever the variable is used.
func forShell(value string) bool {
	_, found := scan.FindTarget(value)
	return found && substitutes(value)
}

func substitutes(value string) bool {
	return strings.Contains(value, "`") || strings.Contains(value, "$$(")
}

func targetOf(line string) string {
	target, _, _ := strings.Cut(line, ":")
	return strings.TrimSpace(target)
}

// command adds a line of a recipe.
func (f *file) command(at scan.Span) {
	if !f.oneShell || len(f.recipe) == 0 {
		at = withoutPrefix(f.text.Body, at)
	}
	f.recipe = append(f.recipe, at)
	if !f.oneShell {
		f.flush()
	}
}

// flush ends the script that the lines of a recipe are.
func (f *file) flush() {
	if len(f.recipe) > 0 {
		layer := recipeLayer
		if f.oneShell {
			layer = oneShellLayer
		}
		f.yield(f.text, f.recipe, layer, f.target)
	}
	f.recipe = nil
}

// withoutPrefix passes over what is for make: @ and its like.
func withoutPrefix(body string, at scan.Span) scan.Span {
	at.Start += len(body[at.Start:at.End]) - len(strings.TrimLeft(body[at.Start:at.End], "@-+ \t"))
	return at
}

// yield hands over a script with what make fills in.
func (f *file) yield(outer *scan.Text, lines []scan.Span, layer scan.Layer, origin string) {
	b := outer.Within()
	for _, at := range lines {
		f.expand(b, outer, at, origin)
	}
	t := b.Text(f.shell, layer, origin)
	t.Lang = scan.Script(t.Body, t.Lang)
	f.texts = append(f.texts, t)
}

var errBreak = errors.New("the line of a makefile ends at a line break")

var recipeLayer = scan.Layer{Name: "a line of a makefile", Encode: func(s string) (string, error) {
	if strings.Contains(s, "\n") {
		return "", errBreak
	}
	return strings.ReplaceAll(s, "$", "$$"), nil
}}

var oneShellLayer = scan.Layer{Name: "a recipe that is one script", Encode: func(s string) (string, error) {
	return strings.NewReplacer("$", "$$", "\n", "\n\t").Replace(s), nil
}}

// functionLayer is within $(shell …), which ends at the bracket that closes it.
var functionLayer = scan.Layer{Name: "a function of make", Encode: func(s string) (string, error) {
	depth := 0
	for _, c := range s {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case '\n':
			return "", errBreak
		case '#':
			return "", errors.New("make would read a comment")
		}
		if depth < 0 {
			break
		}
	}
	if depth != 0 {
		return "", errors.New("make would read the brackets as its own")
	}
	return strings.ReplaceAll(s, "$", "$$"), nil
}}
