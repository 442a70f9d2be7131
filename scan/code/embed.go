package code

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"tegata/scan"
)

// scripts returns the strings of a program that a shell or cloud-init reads.
func (p *program) scripts() (out []*scan.Text) {
	p.each(p.tokens, func(ts []token) {
		for i := 0; i < len(ts); i++ {
			if ts[i].kind != text {
				continue
			}
			end := p.joinedText(ts, i)
			if t := p.script(ts[i:end], ts, i); t != nil {
				out = append(out, t)
			}
			i = end - 1
		}
	})
	return out
}

// shelly reports whether strings have what each script that matters has.
func shelly(ts []token) bool {
	for _, t := range ts {
		for _, part := range t.parts {
			for _, word := range []string{"curl", "wget", "ec2", "#", "<", "Content-Type", "nvoke-", "ebClient", "ebRequest"} {
				if strings.Contains(part.s, word) {
					return true
				}
			}
		}
	}
	return false
}

// joinedText returns the index after the strings that begin at i and are one.
func (p *program) joinedText(ts []token, i int) int {
	end := i + 1
	for end < len(ts) {
		switch {
		case ts[end].kind == text && (p.lang == "python" || p.lang == "ruby" || p.lang == "c"):
			end++
		case is(ts[end], "+"):
			j := end + 1
			for at(ts, j).kind == newline && j < len(ts) {
				j++
			}
			if j >= len(ts) || ts[j].kind != text && ts[j].kind != word {
				return end
			}
			end = p.operandEnd(ts, j)
		default:
			return end
		}
	}
	return end
}

func (p *program) operandEnd(ts []token, j int) int {
	for j++; j < len(ts); {
		switch {
		case is(ts[j], ".") && at(ts, j+1).kind == word:
			j += 2
		case is(ts[j], "(", "[") && ts[j].jump > 0:
			j = past(ts, j)
		default:
			return j
		}
	}
	return j
}

var commandStart = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("(?m)(^|[;&|(`]|\\$\\(|\\b(?:sudo|exec|then|do|time|env|if|!|RUN)[ \\t])[ \\t]*(?:[A-Za-z_]\\w*=)?[\"'$(`]*(?:/usr/bin/|/bin/)?(curl|wget|ec2-metadata|ec2metadata)[ \\t]")
})

// script returns the text of a string if it is one for a shell.
func (p *program) script(ts []token, list []token, i int) *scan.Text {
	if !shelly(ts) {
		return nil
	}
	body := p.within(ts, scan.Shell).Body
	head := strings.TrimLeft(body, " \t\r\n")
	switch {
	case !strings.Contains(body, "169.254.169.254") && !strings.Contains(body, "instance-data") && !strings.Contains(strings.ToLower(body), "fd00:ec2::254") && !strings.Contains(body, "ec2-metadata"):
		return nil
	case strings.HasPrefix(head, "#cloud-config"), strings.HasPrefix(head, "Content-Type: multipart"), strings.HasPrefix(strings.ToLower(head), "<powershell>"), strings.HasPrefix(strings.ToLower(head), "<script>"):
		return p.within(ts, scan.CloudInit)
	case strings.HasPrefix(head, "#!"):
		return p.within(ts, scan.Script(head, scan.Shell))
	case powershell().MatchString(body):
		return p.powershell(ts, list, i, head)
	case !commandStart().MatchString(body):
		return nil
	}
	if wholeCommand().MatchString(strings.TrimSpace(body)) && kept(list, i) && !p.given(ts[0]) && !p.test() {
		return p.command(ts, list, i, body)
	}
	if ts[0].form.command || p.run(ts[0]) || p.scripted(list, i) || p.ranLater(list, i) {
		if strings.Contains(body, "\n") {
			return p.within(ts, scan.Bash)
		}
		return p.command(ts, list, i, body)
	}
	return nil
}

// powershell returns the text of a string that has cmdlets in it: a script, or
// the command line that runs one.
func (p *program) powershell(ts []token, list []token, i int, head string) *scan.Text {
	if strings.HasPrefix(strings.ToLower(head), "powershell") || strings.HasPrefix(head, "pwsh") {
		return p.within(ts, scan.Batch)
	}
	if strings.Contains(head, "\n") || p.run(ts[0]) || p.scripted(list, i) {
		return p.within(ts, scan.PowerShell)
	}
	return nil
}

var powershell = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(invoke-(restmethod|webrequest)|system\.net\.webclient|net\.webrequest\])`)
})

// wholeCommand matches a string that is a command and nothing else.
var wholeCommand = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(curl|wget)( +-[^ ]*( +[0-9]+)?)* +['"]?(https?://)?(169\.254\.169\.254|instance-data)/[^ ]*( *\|.*| +2?>.*)?$`)
})

// kept reports whether a string is set, returned, or an entry of a table.
func kept(list []token, i int) bool {
	t := at(list, i-1)
	return is(t, ":", "=>", "=", ":=") || t.kind == word && t.s == "return"
}

// given reports whether a string is given to a call.
func (p *program) given(t token) bool {
	for _, c := range p.calls {
		if c.at.Start <= t.at.Start && t.at.End <= c.at.End && p.takes(c, t) {
			if _, neutral := p.runsCommands(c); !neutral {
				return true
			}
		}
	}
	return false
}

// run reports whether a string is an argument of a call that runs commands.
func (p *program) run(t token) bool {
	inner, found := -1, false
	for _, c := range p.calls {
		if c.at.Start > t.at.Start || t.at.End > c.at.End || c.at.Start < inner || !p.holds(c, t) {
			continue
		}
		command, neutral := p.runsCommands(c)
		if neutral || !command && !p.takes(c, t) {
			continue
		}
		inner, found = c.at.Start, command
	}
	return found
}

// ranLater reports whether a string is the value of a name that a command is
// run by.
func (p *program) ranLater(list []token, i int) bool {
	name := at(list, i-2)
	if !is(at(list, i-1), "=", ":=") || name.kind != word {
		return false
	}
	return slices.ContainsFunc(p.calls, func(c *call) bool {
		if c.at.Start < name.at.Start || c.in != p.function(name.at.Start) || len(c.args) == 0 || !slices.ContainsFunc(trimNewlines(c.args[0]), func(t token) bool { return t.kind == word && t.s == name.s }) {
			return false
		}
		command, _ := p.runsCommands(c)
		return command
	})
}

func (p *program) holds(c *call, t token) bool {
	return p.takes(c, t) || len(c.receiver) > 0 && within(c.receiver, t.at.Start)
}

// takes reports whether a call has a string among its arguments.
func (p *program) takes(c *call, t token) bool {
	return slices.ContainsFunc(c.args, func(arg []token) bool { return within(arg, t.at.Start) })
}

// runsCommands tells calls that run commands from such as only pass strings on.
func (p *program) runsCommands(c *call) (command, neutral bool) {
	for _, s := range p.shapesOf(c) {
		if s.role == runs {
			return true, false
		}
	}
	name := strings.ToLower(c.last())
	switch name {
	case "split", "format", "sprintf", "join", "fmt", "strip", "dedent", "trim", "freeze", "chomp", "tostring", "of", "aslist", "array", "list", "new", "quote", "encode", "cleandoc", "text", "append", "b64encode", "sub", "base64":
		return false, true
	}
	return commandName().MatchString(name) && !saidName().MatchString(name), false
}

// saidName matches names of what tells somebody something.
var saidName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`error|exception|warn|usage|assert|message|describe|expect`)
})

var commandName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(^|_)(run|exec|sh|ssh|bash|shell|cmd|command|system|popen|spawn|script|sudo|capture|remote|execute)|exec(ute)?$|command|shell|userdata|user_data|script|runcmd|ssh`)
})

// scripted reports whether a string is the value of a name that is one for
// commands or scripts.
func (p *program) scripted(list []token, i int) bool {
	for j := i - 1; j >= 0 && j > i-40; j-- {
		t := list[j]
		switch {
		case t.jump < 0:
			j += t.jump
		case is(t, "=", ":=", "=>", ":", "+=", "<<"):
			name := at(list, j-1)
			return (name.kind == word || name.kind == text) && scriptName().MatchString(name.value())
		case t.kind == newline, is(t, ";"):
			if j < i-1 && !is(at(list, j-1), "(", "[", "{", ",") {
				return false
			}
		}
	}
	return false
}

var scriptName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(user_?data|cmds?$|commands?$|^cmd|^command|script|bootstrap|runcmd|shell|startup|init$|inline|exec)`)
})

// within makes the text of strings that are joined.
func (p *program) within(ts []token, lang scan.Lang) *scan.Text {
	b := p.t.Within()
	p.build(b, ts)
	return b.Text(lang, p.layer(ts), "string")
}

// command makes the text of a string that is one command. It can't be rewritten
// unless a shell runs it: nobody else would run the command within for the token.
func (p *program) command(ts []token, list []token, i int, body string) *scan.Text {
	if p.shelled(ts[0], list, i, body) {
		return p.within(ts, scan.Shell)
	}
	b := p.t.Within()
	p.build(b, ts)
	return b.Text(scan.Shell, scan.Layer{Name: "a command that no shell runs"}, "string")
}

func (p *program) build(b *scan.Builder, ts []token) {
	format, args := p.formatted(ts)
	next := 0
	for i := 0; i < len(ts); {
		if ts[i].kind != text {
			end := i + 1
			if ts[i].kind == word {
				end = p.operandEnd(ts, i)
				b.Decoded(scan.Span{Start: ts[i].at.Start, End: ts[end-1].at.End}, p.filling(ts[i:end]).s)
			}
			i = end
			continue
		}
		for _, part := range ts[i].parts {
			switch {
			case part.hole != nil:
				b.Decoded(part.at, p.filling(part.hole).s)
			case part.at.End-part.at.Start == len(part.s) && p.t.Body[part.at.Start:part.at.End] == part.s:
				next = p.placeholders(b, part, format, args, next)
			default:
				b.Decoded(part.at, part.s)
			}
		}
		i++
	}
}

// filling returns what stands in a command where an expression does. Of a header
// that is only there if a token is, nothing is known.
func (p *program) filling(ts []token) value {
	if p.choice(ts) {
		return unknown
	}
	if len(ts) == 1 && ts[0].kind == word {
		if all := nearest(p.sets[ts[0].s], ts[0].at.Start); len(all) > 0 && !all[0].key && p.choice(all[0].value) {
			return unknown
		}
	}
	return p.eval(ts, frame{})
}

// placeholders takes over a part of a string, with what a format puts into it.
func (p *program) placeholders(b *scan.Builder, text part, how formatting, args [][]token, next int) int {
	at := text.at.Start
	if how != unformatted {
		for _, m := range holders()[how].FindAllStringIndex(text.s, -1) {
			b.Verbatim(scan.Span{Start: at, End: text.at.Start + m[0]})
			at = text.at.Start + m[1]
			v := p.holder(text.s[m[0]:m[1]], how, args, &next, frame{})
			b.Decoded(scan.Span{Start: text.at.Start + m[0], End: at}, v.s)
		}
	}
	b.Verbatim(scan.Span{Start: at, End: text.at.End})
	return next
}

// layer is how the string is written. Braces that a later format would read
// are doubled.
func (p *program) layer(ts []token) scan.Layer {
	f := *ts[0].form
	for _, t := range ts {
		if t.kind == text && (t.form.open != f.open || t.form.close != f.close) {
			return scan.Layer{Name: "strings of several kinds"}
		}
	}
	format, _ := p.formatted(ts)
	return scan.Layer{Name: fmt.Sprintf("a %s string of %s", f.open, p.lang), Encode: func(s string) (string, error) {
		switch format {
		case braces:
			s = strings.NewReplacer("{", "{{", "}", "}}").Replace(s)
		case percent:
			s = strings.ReplaceAll(s, "%", "%%")
		}
		return encode(p.lang, f, s)
	}}
}

// formatted tells what fills in a string after it was read, and with what.
func (p *program) formatted(ts []token) (formatting, [][]token) {
	end := ts[len(ts)-1].at.End
	i, ok := slices.BinarySearchFunc(p.tokens, end, func(t token, end int) int { return t.at.End - end })
	if !ok {
		return unformatted, nil
	}
	for i++; i < len(p.tokens) && is(p.tokens[i], ")"); i++ {
	}
	switch next := at(p.tokens, i); {
	case is(next, "%") && (p.lang == "python" || p.lang == "ruby"):
		return percent, operands(p.tokens[i+1 : p.expression(p.tokens, i+1)])
	case is(next, ".") && at(p.tokens, i+1).s == "format" && is(at(p.tokens, i+2), "(") && p.lang == "python":
		return braces, split(inner(p.tokens, i+2), ",")
	}
	for _, c := range p.calls {
		if len(c.args) < 2 || !within(c.args[0], ts[0].at.Start) {
			continue
		}
		switch c.last() {
		case "format", "Sprintf", "sprintf", "Errorf", "Printf", "printf", "Fprintf", "Format":
			return p.howFormatted(c.last()), c.args[1:]
		}
	}
	return unformatted, nil
}

var errUnwritable = errors.New("can't stand in a string of this kind")

// encode writes text into a string of a form.
func encode(lang string, f form, s string) (string, error) {
	if f.hole == "{" {
		s = strings.NewReplacer("{", "{{", "}", "}}").Replace(s)
	}
	if strings.Contains(s, "\n") && !f.lines {
		if !f.escapes {
			return "", errUnwritable
		}
	}
	switch {
	case f.doubled:
		return strings.ReplaceAll(s, f.close, f.close+f.close), nil
	case f.close == "": // a heredoc
		if f.indented && strings.Contains(s, "\n") {
			return "", errUnwritable
		}
		if f.escapes {
			s = strings.ReplaceAll(s, `\`, `\\`)
		}
		return escapeHoles(f, s)
	case !f.escapes:
		if strings.Contains(s, f.close) {
			return "", errUnwritable
		}
		return s, nil
	case f.open == "'" && (lang == "ruby" || lang == "php" || lang == "perl"):
		return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s), nil
	}
	s = strings.ReplaceAll(s, `\`, `\\`)
	s = strings.ReplaceAll(s, f.close[:1], `\`+f.close[:1])
	if open := f.open[len(f.open)-1:]; f.nests(open[0]) {
		s = strings.ReplaceAll(s, open, `\`+open)
	}
	if !f.lines {
		s = strings.ReplaceAll(s, "\n", `\n`)
	}
	return escapeHoles(f, s)
}

// escapeHoles keeps what would be an expression in the string from being one.
func escapeHoles(f form, s string) (string, error) {
	switch f.hole {
	case "$":
		if f.escapes {
			return strings.ReplaceAll(s, "$", `\$`), nil
		}
	case "${", "#{":
		if f.escapes {
			return strings.ReplaceAll(s, f.hole, `\`+f.hole), nil
		}
	default:
		return s, nil
	}
	if strings.Contains(s, f.hole) {
		return "", errUnwritable
	}
	return s, nil
}
