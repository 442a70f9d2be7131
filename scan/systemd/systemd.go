// Package systemd reads the command lines of systemd's units: what their
// shells are given, with systemd's quotes, escapes, specifiers and variables
// undone.
//
// Sources: https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html,
// https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines
package systemd

import (
	"errors"
	"path"
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// Detect returns the scripts and commands that a unit runs, as texts.
func Detect(t *scan.Text) scan.Facts {
	lines := assignments(t)
	variables := environment(lines)
	var facts scan.Facts
	for _, l := range lines {
		if strings.HasPrefix(l.key, "Exec") {
			facts.Texts = append(facts.Texts, l.commands(variables)...)
		}
	}
	return facts
}

// An assignment is a line such as ExecStart=/bin/true, with the lines that
// continue it.
type assignment struct {
	key   string
	value *scan.Text
}

var oneLine = scan.Layer{Name: "a line of a unit", Encode: func(s string) (string, error) {
	if strings.Contains(s, "\n") {
		return "", errors.New("a line of a unit can't hold a line break")
	}
	return s, nil
}}

// assignments returns the assignments of a unit, in order.
func assignments(t *scan.Text) (all []assignment) {
	for at := 0; at < len(t.Body); {
		start, end := at, lineEnd(t.Body, at)
		line := t.Body[start:end]
		at = end + 1
		if comment(line) {
			continue
		}
		key, _, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		b := t.Within()
		at = join(b, t.Body, start+len(key)+1)
		all = append(all, assignment{strings.TrimSpace(key), b.Text(scan.Systemd, oneLine)})
	}
	return all
}

// join adds a line from an offset on, and the lines that continue it: a
// backslash at the end is a space, and comments between are passed over. It
// returns where the next line begins.
func join(b *scan.Builder, body string, at int) int {
	for first := true; at < len(body); first = false {
		end := lineEnd(body, at)
		next := end + 1
		if !first && comment(body[at:end]) {
			at = next
			continue
		}
		text := strings.TrimSuffix(body[at:end], "\r")
		if !strings.HasSuffix(text, `\`) {
			b.Verbatim(scan.Span{Start: at, End: at + len(text)})
			return next
		}
		b.Verbatim(scan.Span{Start: at, End: at + len(text) - 1})
		b.Decoded(scan.Span{Start: at + len(text) - 1, End: min(next, len(body))}, " ")
		at = next
	}
	return at
}

func lineEnd(body string, at int) int {
	if i := strings.IndexByte(body[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(body)
}

func comment(line string) bool {
	line = strings.TrimLeft(line, " \t")
	return strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";")
}

// environment returns the variables that a unit sets itself.
func environment(lines []assignment) map[string]string {
	variables := map[string]string{}
	for _, l := range lines {
		if l.key != "Environment" {
			continue
		}
		for _, w := range words(l.value.Body) {
			var value strings.Builder
			for _, p := range w.pieces {
				value.WriteString(p.text)
			}
			if name, v, ok := strings.Cut(value.String(), "="); ok {
				variables[name] = v
			}
		}
	}
	return variables
}

// commands returns what the shells in a command line are given; a command line
// without a shell is itself one that a shell would read in the same way.
func (a assignment) commands(variables map[string]string) (all []*scan.Text) {
	body := a.value.Body
	start := len(body) - len(strings.TrimLeft(body, " \t@-:+!|"))
	literal := strings.Contains(body[:start], ":")
	e := expander{variables: variables, literal: literal}
	for _, command := range split(words(body[start:])) {
		for i := range command {
			command[i].shift(start)
		}
		if len(command) > 0 {
			all = append(all, e.text(a, command))
		}
	}
	return all
}

// split cuts a command line at its semicolons.
func split(all []word) (commands [][]word) {
	from := 0
	for i, w := range all {
		if w.quote == 0 && len(w.pieces) == 1 && w.pieces[0].text == ";" && w.pieces[0].verbatim {
			commands = append(commands, all[from:i])
			from = i + 1
		}
	}
	return append(commands, all[from:])
}

func (e expander) text(a assignment, command []word) *scan.Text {
	for i, w := range command {
		if lang, ok := shell(w.String()); ok {
			if script := program(command[i+1:]); script != nil {
				b := a.value.Within()
				e.add(b, *script)
				return b.Text(lang, e.quoted(script.quote), a.key)
			}
		}
	}
	b := a.value.Within()
	for i, w := range command {
		if i > 0 {
			b.Verbatim(scan.Span{Start: command[i-1].end, End: w.start})
		}
		e.add(b, w.whole())
	}
	return b.Text(scan.Shell, e.arguments(a.value.Body, command), a.key)
}

// arguments is a command line that no shell reads. If one would read it in the
// same way, it can be given to one.
func (e expander) arguments(body string, command []word) scan.Layer {
	start, end := command[0].start, command[len(command)-1].end
	if !plain().MatchString(body[start:end]) || strings.Contains(body[:start], "@") {
		return scan.Layer{Name: "a command line of systemd", Encode: func(s string) (string, error) {
			return "", errors.New("no shell runs the command, which a token would need")
		}}
	}
	layer := e.quoted('\'')
	layer.Around = []scan.Splice{
		{At: scan.Span{Start: start, End: start}, Text: "/bin/sh -c 'exec "}, // systemd watches the process that it starts
		{At: scan.Span{Start: end, End: end}, Text: "'"},
	}
	return layer
}

// plain matches command lines that systemd and the shell read alike, also
// within single quotes.
var plain = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[\w@+=:,./-]+([ \t]+([\w@+=:,./-]+|"[\w@+=:,./ -]*"))*$`)
})

// shell returns the language of an interpreter, by its name.
func shell(name string) (scan.Lang, bool) {
	lang := scan.Script("#!"+name, scan.Plain)
	switch lang {
	case scan.Shell, scan.Bash, scan.Python:
		return lang, true
	}
	return lang, false
}

// program returns the argument of -c, such as in sh -ec '…'.
func program(arguments []word) *word {
	for i, w := range arguments {
		s := w.String()
		if path.Base(s) == "sh" { // busybox sh
			continue
		}
		if !strings.HasPrefix(s, "-") {
			return nil
		}
		if strings.HasSuffix(s, "c") && !strings.HasPrefix(s, "--") && i+1 < len(arguments) {
			return &arguments[i+1]
		}
	}
	return nil
}
