package code

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// A formatting is what becomes of a string after it was read.
type formatting uint8

const (
	unformatted formatting = iota
	braces                 // "{}", "{0}", "{name}"
	percent                // "%s", "%(name)s", "%{name}"
)

// holders match what a format has in place of a value, or doubles.
var holders = sync.OnceValue(func() map[formatting]*regexp.Regexp {
	return map[formatting]*regexp.Regexp{
		braces:  regexp.MustCompile(`\{\{|\}\}|\{(\w*)(?:[:!][^{}]*)?\}`),
		percent: regexp.MustCompile(`%%|%(?:([0-9]+)\$)?[-+# 0]*[0-9]*(?:\.[0-9]+)?[sdvqxi@]|%[({](\w+)[)}]s?`),
	}
})

// filled puts values into a format.
func (p *program) filled(format value, how formatting, args [][]token, fr frame) value {
	out := format
	next := 0
	out.s = holders()[how].ReplaceAllStringFunc(format.s, func(m string) string {
		v := p.holder(m, how, args, &next, fr)
		out.constants = append(out.constants, v.constants...)
		out.chosen = out.chosen || v.chosen
		return v.s
	})
	return out
}

// holder returns what stands in place of a match of holders. Next is the number
// of the next argument.
func (p *program) holder(m string, how formatting, args [][]token, next *int, fr frame) value {
	switch m {
	case "{{", "}}", "%%":
		return value{s: m[:1]}
	}
	groups := holders()[how].FindStringSubmatch(m)
	var arg []token
	name := strings.Join(groups[1:], "")
	n, err := strconv.Atoi(name)
	switch {
	case name == "":
		arg = nth(args, *next)
		*next++
	case err == nil && how == percent:
		arg = nth(args, n-1)
	case err == nil:
		arg = nth(args, n)
	default:
		arg = named(args, name)
	}
	if arg == nil {
		return unknown
	}
	return p.eval(arg, fr.deeper())
}

// howFormatted tells how a function fills in a format.
func (p *program) howFormatted(name string) formatting {
	switch {
	case p.lang == "csharp", p.lang == "rust", name == "format" && p.lang == "python":
		return braces
	}
	return percent
}
