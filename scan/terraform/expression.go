package terraform

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"tegata/scan"
)

// A use is what an expression is used for.
type use struct {
	lang   scan.Lang // of what it says; "" to judge by its looks
	origin []string
	filled bool // it is a template once more: that of a template_file
}

// script reads an expression for what somebody runs, and the names that lead to
// it. What several names lead to is read once.
func (f *file) script(e hclsyntax.Expression, u use, steps int) *outcome {
	if e == nil || steps > maxSteps {
		return &outcome{}
	}
	place := at(e.Range())
	if known, ok := f.read[place]; ok {
		return known
	}
	out := &outcome{}
	f.read[place] = out
	switch e := e.(type) {
	case *hclsyntax.TemplateExpr:
		f.template(e, u, steps, out)
	case *hclsyntax.TemplateWrapExpr:
		out.add(f.script(e.Wrapped, u, steps+1))
	case *hclsyntax.ParenthesesExpr:
		out.add(f.script(e.Expression, u, steps+1))
	case *hclsyntax.ConditionalExpr:
		out.add(f.script(e.TrueResult, u, steps+1))
		out.add(f.script(e.FalseResult, u, steps+1))
	case *hclsyntax.ScopeTraversalExpr:
		f.named(e, u, steps, out)
	case *hclsyntax.IndexExpr:
		out.add(f.script(e.Collection, u, steps+1))
	case *hclsyntax.RelativeTraversalExpr:
		out.add(f.script(e.Source, u, steps+1))
	case *hclsyntax.TupleConsExpr:
		f.list(e.Exprs, "\n", u, steps, out)
	case *hclsyntax.ObjectConsExpr:
		for _, item := range e.Items {
			f.item(item, u, steps, out)
		}
	case *hclsyntax.FunctionCallExpr:
		f.call(e, u, steps, out)
	}
	return out
}

func (o *outcome) add(more *outcome) {
	for _, t := range more.texts {
		if !slices.Contains(o.texts, t) {
			o.texts = append(o.texts, t)
		}
	}
	for _, r := range more.references {
		if !slices.Contains(o.references, r) {
			o.references = append(o.references, r)
		}
	}
}

// named follows a name to what it stands for.
func (f *file) named(e *hclsyntax.ScopeTraversalExpr, u use, steps int, out *outcome) {
	if named := f.follow(e); named != nil {
		out.add(f.script(named, u, steps+1))
		return
	}
	var names []string
	for _, t := range e.Traversal[1:] {
		if name, ok := step(t); ok {
			names = append(names, name)
		}
	}
	if e.Traversal.RootName() != "data" || len(names) < 2 {
		return
	}
	b := f.blocks["data."+names[0]+"."+names[1]]
	switch {
	case b == nil:
	case names[0] == "template_file":
		f.templateFile(b, u, steps, out)
	case names[0] == "cloudinit_config", names[0] == "template_cloudinit_config":
		for _, part := range b.Body.Blocks {
			if content := part.Body.Attributes["content"]; content != nil {
				out.add(f.script(content.Expr, u, steps+1))
			}
		}
	case names[0] == "local_file":
		if name := b.Body.Attributes["filename"]; name != nil {
			f.reference(name.Expr, false, out)
		}
	}
}

// templateFile reads what a template_file fills in: a text, which is a template
// in a template, or a file that it names.
func (f *file) templateFile(b *hclsyntax.Block, u use, steps int, out *outcome) {
	u.filled = true
	if a := b.Body.Attributes["template"]; a != nil {
		out.add(f.script(a.Expr, u, steps+1))
	}
	if a := b.Body.Attributes["filename"]; a != nil {
		f.reference(a.Expr, true, out)
	}
	if a := b.Body.Attributes["vars"]; a != nil {
		out.add(f.script(a.Expr, use{origin: u.origin}, steps+1))
	}
}

// call reads a function that passes scripts on.
func (f *file) call(e *hclsyntax.FunctionCallExpr, u use, steps int, out *outcome) {
	if len(e.Args) == 0 {
		return
	}
	switch e.Name {
	case "templatefile", "templatestring":
		f.reference(e.Args[0], true, out)
		for _, values := range e.Args[1:] {
			out.add(f.script(values, use{origin: u.origin}, steps+1))
		}
	case "file":
		f.reference(e.Args[0], u.filled, out)
	case "filebase64":
		f.reference(e.Args[0], false, out)
	case "join":
		f.joined(e, u, steps, out)
	case "format":
		f.format(e, u, steps, out)
	default:
		for _, arg := range e.Args {
			out.add(f.script(arg, u, steps+1))
		}
	}
}

// joined reads join(separator, list).
func (f *file) joined(e *hclsyntax.FunctionCallExpr, u use, steps int, out *outcome) {
	if len(e.Args) != 2 {
		return
	}
	list := e.Args[1]
	for range maxSteps {
		named, ok := list.(*hclsyntax.ScopeTraversalExpr)
		if !ok {
			break
		}
		if list = f.follow(named); list == nil {
			return
		}
	}
	separator, known := f.value(e.Args[0], 0)
	if tuple, ok := list.(*hclsyntax.TupleConsExpr); ok && known {
		f.list(tuple.Exprs, separator, u, steps, out)
		return
	}
	out.add(f.script(list, u, steps+1))
}

// list reads strings that are lines of one script, or the words of one command.
func (f *file) list(all []hclsyntax.Expression, separator string, u use, steps int, out *outcome) {
	if lang, i := f.command(all); i > 0 {
		out.add(f.script(all[i], use{lang: lang, origin: u.origin}, steps+1))
		return
	}
	quoted := !slices.ContainsFunc(all, func(e hclsyntax.Expression) bool { return !f.isQuoted(e) })
	if !quoted || u.filled {
		for _, e := range all {
			out.add(f.script(e, u, steps+1))
		}
		return
	}
	layer := quotedLayer
	if first, _ := f.value(first(all), 0); isArguments(u.origin, first) && len(all) > 1 {
		separator, layer, u.lang = " ", argumentsLayer, scan.Shell
	}
	b := f.text.Within()
	for i, e := range all {
		if i > 0 {
			b.Made(at(e.Range()).Start, separator)
		}
		f.read[at(e.Range())] = out
		r := f.quoted(e)
		r.addTo(b)
		f.fillings(r, u, steps, out)
	}
	f.yield(b.Text("", layer, u.origin...), u, out)
}

func first(all []hclsyntax.Expression) hclsyntax.Expression {
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// isArguments reports whether a list of strings under a name is one command,
// with its arguments, and not lines of a script.
func isArguments(names []string, first string) bool {
	if len(names) == 0 || first == "" || strings.ContainsAny(first, " \n;=") {
		return false
	}
	switch strings.ToLower(names[len(names)-1]) {
	case "command", "entrypoint", "entry_point", "program", "args", "cmd":
		return true
	}
	return false
}

// argumentsLayer is a command that no shell reads.
var argumentsLayer = scan.Layer{Name: "a list of arguments", Encode: func(string) (string, error) {
	return "", errors.New("no shell runs the command, which a token would need")
}}

// command returns where in a list such as ["sh", "-c", "…"] the program stands,
// and its language; 0 if the list is none.
func (f *file) command(all []hclsyntax.Expression) (scan.Lang, int) {
	words := make([]string, len(all))
	for i, e := range all {
		words[i], _ = f.value(e, 0)
	}
	return command(words)
}

func command(words []string) (scan.Lang, int) {
	for i, name := range words[:max(0, len(words)-2)] {
		if !isOption(words[i+1]) || strings.ContainsAny(name, " \n") {
			continue
		}
		if lang := scan.Script("#!"+strings.ToLower(name), scan.Plain); lang != scan.Plain {
			return lang, i + 2
		}
	}
	return "", 0
}

func isOption(s string) bool {
	return strings.HasPrefix(s, "-") && !strings.HasPrefix(s, "--") && (strings.HasSuffix(s, "c") || strings.EqualFold(s, "-command"))
}

func (f *file) isQuoted(e hclsyntax.Expression) bool {
	switch e.(type) {
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr:
		return strings.HasPrefix(f.text.Body[e.Range().Start.Byte:], `"`)
	}
	return false
}

// quoted takes a string in quotes to pieces.
func (f *file) quoted(e hclsyntax.Expression) *reader {
	place := at(e.Range())
	r := &reader{body: f.text.Body, quoted: true, value: f.filling}
	r.read(span{Start: place.Start + 1, End: max(place.Start+1, place.End-1)})
	return r
}

// filling returns what is put in for an expression in a template. Several lines
// are a script of their own, which is read where it stands.
func (f *file) filling(e hclsyntax.Expression) (string, bool) {
	v, ok := f.value(e, 0)
	return v, ok && !strings.Contains(v, "\n")
}

// fillings reads what is put into a template: it is a part of the script.
func (f *file) fillings(r *reader, u use, steps int, out *outcome) {
	u = use{origin: u.origin}
	for _, e := range r.inner {
		if _, known := f.filling(e); !known {
			out.add(f.script(e, u, steps+1))
		}
	}
}

// template reads a string or a heredoc.
func (f *file) template(e hclsyntax.Expression, u use, steps int, out *outcome) {
	t, r := f.literal(e, u)
	f.fillings(r, u, steps, out)
	f.yield(t, u, out)
}

// literal returns what a string or a heredoc says.
func (f *file) literal(e hclsyntax.Expression, u use) (*scan.Text, *reader) {
	r, layer := (*reader)(nil), quotedLayer
	if f.isQuoted(e) {
		r = f.quoted(e)
	} else {
		r, layer = f.heredoc(at(e.Range()))
	}
	b := f.text.Within()
	r.addTo(b)
	return b.Text("", layer, u.origin...), r
}

// format reads format("…%s…", …).
func (f *file) format(e *hclsyntax.FunctionCallExpr, u use, steps int, out *outcome) {
	if _, ok := e.Args[0].(*hclsyntax.TemplateExpr); !ok {
		return
	}
	t, _ := f.literal(e.Args[0], u)
	f.read[at(e.Args[0].Range())] = out
	b, from, next := t.Within(), 0, 1
	for _, m := range verb().FindAllStringIndex(t.Body, -1) {
		b.Verbatim(span{Start: from, End: m[0]})
		from = m[1]
		text := "%"
		if t.Body[m[0]:m[1]] != "%%" {
			text = scan.Unknown
			if next < len(e.Args) {
				if v, ok := f.filling(e.Args[next]); ok {
					text = v
				}
			}
			next++
		}
		b.Decoded(span{Start: m[0], End: m[1]}, text)
	}
	b.Verbatim(span{Start: from, End: len(t.Body)})
	f.yield(b.Text("", formatLayer), u, out)
}

// verb matches what format fills in.
//
// Source: https://developer.hashicorp.com/terraform/language/functions/format
var verb = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`%%|%[-+ #0-9.\[\]]*[a-zA-Z]`) })

var formatLayer = scan.Layer{Name: "a format", Encode: func(s string) (string, error) {
	return strings.ReplaceAll(s, "%", "%%"), nil
}}

// heredoc takes a heredoc to pieces.
func (f *file) heredoc(place span) (*reader, scan.Layer) {
	body := f.text.Body
	opening, _, _ := strings.Cut(body[place.Start:place.End], "\n")
	start := min(place.Start+len(opening)+1, place.End)
	closing := strings.TrimRight(body[start:place.End], " \t\r\n")
	end := start + strings.LastIndexByte(closing, '\n') + 1
	r := &reader{body: body, value: f.filling}
	r.read(span{Start: start, End: end})
	delimiter := strings.TrimSpace(strings.TrimPrefix(opening, "<<"))
	indent := ""
	if flush, ok := strings.CutPrefix(delimiter, "-"); ok {
		delimiter, indent = flush, r.flush()
	}
	return r, heredocLayer(delimiter, indent)
}

// yield hands over a text, if anybody runs it.
func (f *file) yield(t *scan.Text, u use, out *outcome) {
	if u.filled {
		t = TemplateText(t, "")
	}
	for _, t := range readers(t, u.lang) {
		f.facts.Texts = append(f.facts.Texts, t)
		out.texts = append(out.texts, t)
	}
}

// readers returns a text with the language that it is used in or looks like, or
// the scripts in it if it is JSON of no known kind.
func readers(t *scan.Text, lang scan.Lang) []*scan.Text {
	switch t.Lang = languageOf(lang, t.Body); {
	case t.Lang == "":
		return nil
	case t.Lang == scan.Template && strings.ContainsAny(strings.TrimLeft(t.Body, " \t\r\n")[:1], "[{"):
		p := parser{text: t}
		if v, ok := p.value(0); ok {
			d := document{text: t, filled: true}
			d.object(place{}, v)
			return d.facts.Texts
		}
	}
	return []*scan.Text{t}
}

// reference notes a file that is named.
func (f *file) reference(e hclsyntax.Expression, template bool, out *outcome) {
	name, ok := f.value(e, 0)
	if !ok || name == "" || strings.Contains(name, scan.Unknown) {
		return
	}
	out.references = append(out.references, scan.Reference{Path: path.Clean(name), At: at(e.Range()), Template: template})
}

// languageOf returns the language of a text that is used in a known way, or by
// its looks; "" for what nobody runs.
func languageOf(lang scan.Lang, body string) scan.Lang {
	trimmed := strings.TrimLeft(body, " \t\r\n")
	switch {
	case trimmed == "":
		return ""
	case lang == scan.CloudInit:
		if strings.ContainsAny(trimmed[:1], "#<{") || strings.HasPrefix(trimmed, "Content-Type:") || strings.HasPrefix(trimmed, "MIME-") || strings.HasPrefix(trimmed, "H4sI") {
			return lang
		}
		if isScript(trimmed) {
			return shellOf(trimmed) // a part of a script that other parts begin
		}
		return lang
	case lang == scan.Shell:
		return scan.Script(trimmed, scan.Shell)
	case lang != "":
		return lang
	}
	if !strings.ContainsAny(trimmed, " \n") {
		return ""
	}
	if l := scan.Script(trimmed, ""); l != "" {
		return l
	}
	switch l := scan.KindOf("content", []byte(trimmed[:min(len(trimmed), head)])); l {
	case "", scan.Plain:
	default:
		return l
	}
	if !isScript(trimmed) && shellOf(trimmed) != "" {
		return scan.Template // whatever it is, it is read line by line
	}
	return shellOf(trimmed)
}

// isScript reports whether a text without a first line that tells may be a
// script, and not settings or data.
func isScript(s string) bool {
	for line := range strings.Lines(s) {
		first, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if first == "" || first[0] == '#' {
			continue
		}
		return !strings.HasSuffix(first, ":") && !strings.HasSuffix(first, "=") && strings.IndexByte("{<-", first[0]) < 0 &&
			(first[0] != '[' || first == "[" || first == "[[")
	}
	return false
}

// head is how much of a text tells its kind.
const head = 4 << 10

// shellOf returns the shell that has the commands in a text; "" if there are
// none.
func shellOf(s string) scan.Lang {
	for _, word := range []string{"Invoke-RestMethod", "Invoke-WebRequest", "New-Object", "$env:"} {
		if strings.Contains(s, word) {
			return scan.PowerShell
		}
	}
	if strings.ContainsAny(s, " \n") {
		for _, word := range []string{"curl", "wget", "169.254.169.254", "aws "} {
			if strings.Contains(s, word) {
				return scan.Shell
			}
		}
	}
	return ""
}
