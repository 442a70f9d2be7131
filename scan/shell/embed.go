package shell

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// interpreter hands over the program in bash -c '…', python -c "…" and their
// like, wherever among the arguments it stands. It reports whether there was
// one.
func (s *script) interpreter(c *command, fields []field) bool {
	found := false
	for i, f := range fields {
		lang, ok := languageOf(path.Base(f.text))
		if !ok {
			continue
		}
		if w := programOf(path.Base(f.text), fields[i:]); w != nil {
			s.embed(c, w, lang, origin(fields[:i+1]))
			found = true
		}
	}
	if userData := after(fields, "--user-data"); userData != nil && path.Base(fields[0].text) == "aws" {
		s.embed(c, userData, scan.CloudInit, "--user-data")
	}
	return found
}

// origin names an interpreter, and the image that it is one of.
func origin(fields []field) string {
	name := path.Base(fields[len(fields)-1].text)
	for _, f := range fields[:len(fields)-1] {
		if strings.Contains(f.text, "alpine") || strings.Contains(f.text, "busybox") {
			return name + " of " + f.text
		}
	}
	return name
}

// languageOf tells the language that a program reads.
func languageOf(name string) (scan.Lang, bool) {
	switch name {
	case "sh", "dash", "ash":
		return scan.Shell, true
	case "bash", "ksh", "mksh", "zsh":
		return scan.Bash, true
	case "su", "runuser", "ssh", "trap", "watch", "flock", "script", "alias", "eval":
		return scan.Shell, true
	}
	if strings.HasPrefix(name, "perl") {
		return scan.Plain, true
	}
	lang := scan.Script("#!"+name, scan.Plain)
	switch lang {
	case scan.Python, scan.Ruby, scan.JavaScript, scan.PHP, scan.PowerShell:
		return lang, true
	}
	return scan.Shell, false
}

// programOf returns the argument that is a program, of an interpreter with its
// arguments.
func programOf(name string, fields []field) *syntax.Word {
	switch lang, _ := languageOf(name); {
	case name == "ssh":
		return remote(fields)
	case name == "trap" && len(fields) > 2:
		return fields[1].word
	case name == "alias" && len(fields) > 1:
		return aliased(fields[1].word)
	case name == "eval" && len(fields) == 2:
		return fields[1].word
	case name == "watch":
		if last := fields[len(fields)-1]; strings.ContainsAny(last.text, " ") {
			return last.word
		}
	case lang == scan.Ruby || lang == scan.Plain || lang == scan.JavaScript:
		return afterOption(fields, 'e')
	case lang == scan.PHP:
		return afterOption(fields, 'r')
	case lang == scan.PowerShell:
		return after(fields, "-Command")
	case lang == scan.Shell || lang == scan.Bash || lang == scan.Python:
		return afterOption(fields, 'c')
	}
	return nil
}

// aliased returns the command of alias name='…'.
func aliased(w *syntax.Word) *syntax.Word {
	if w == nil || len(w.Parts) != 2 {
		return nil
	}
	return &syntax.Word{Parts: w.Parts[1:]}
}

// remote returns the command line of ssh host '…', if it is one argument. What
// only running tells may be options.
func remote(fields []field) *syntax.Word {
	_, rest := options(fields[1:], "BbcDEeFIiJLlmOopQRSWw", nil)
	for len(rest) > 2 && rest[0].text == scan.Unknown {
		rest = rest[1:]
	}
	if len(rest) == 2 && strings.ContainsAny(rest[1].text, " ") {
		return rest[1].word
	}
	return nil
}

// afterOption returns what follows the option -c, -lc and the like.
func afterOption(fields []field, letter byte) *syntax.Word {
	for i, f := range fields[:len(fields)-1] {
		if i > 0 && len(f.text) > 1 && f.text[0] == '-' && f.text[1] != '-' && f.text[len(f.text)-1] == letter {
			return fields[i+1].word
		}
	}
	return nil
}

func after(fields []field, name string) *syntax.Word {
	for i, f := range fields[:len(fields)-1] {
		if strings.EqualFold(f.text, name) {
			return fields[i+1].word
		}
	}
	return nil
}

// embed yields what a word says as a text of its own.
func (s *script) embed(c *command, w *syntax.Word, lang scan.Lang, origin string) {
	q := s.quoted(c, w, lang)
	if q == nil {
		return
	}
	if t := q.Text(lang, layerOf(w), origin); t.Body != "" {
		s.facts.Texts = append(s.facts.Texts, t)
	}
}

// keepLater says of the texts from the first on that they are run later: not
// while the image that they are written into is built.
func (s *script) keepLater(first int) {
	for _, t := range s.facts.Texts[first:] {
		t.Origin = slices.DeleteFunc(t.Origin, func(origin string) bool { return origin == scan.ImageBuild })
	}
}

// quoted begins the text that a word says, with its quotes undone.
func (s *script) quoted(c *command, w *syntax.Word, lang scan.Lang) *scan.Builder {
	if w == nil {
		return nil
	}
	b := s.text.Within()
	sc := s.scopeOf(c, nil)
	sc.escapes = decodes(c.call)
	if lang == scan.PHP && !strings.Contains(s.text.Body[offset(w):span(w).End], "<?") {
		b.Made(offset(w), "<?php ") // php -r goes without
	}
	for _, p := range w.Parts {
		sc.part(b, p, "")
	}
	return b
}

// decodes reports whether a command writes newlines for \n.
func decodes(call *syntax.CallExpr) bool {
	switch name := call.Args[0].Lit(); name {
	case "printf":
		return true
	case "echo":
		return len(call.Args) > 1 && strings.HasPrefix(call.Args[1].Lit(), "-") && strings.Contains(call.Args[1].Lit(), "e")
	}
	return false
}

// part adds one part of a word; special are the bytes that a backslash before
// them makes literal.
func (c scope) part(b *scan.Builder, p syntax.WordPart, special string) {
	switch p := p.(type) {
	case *syntax.Lit:
		c.literal(b, span(p), special)
	case *syntax.SglQuoted:
		if p.Dollar {
			b.Decoded(span(p), strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\'`, "'", `\\`, `\`).Replace(p.Value))
			return
		}
		at := scan.Span{Start: offset(p) + 1, End: int(p.Right.Offset())}
		if c.escapes {
			c.literal(b, at, "nt\\")
			return
		}
		b.Verbatim(at)
	case *syntax.DblQuoted:
		special := "$`\"\\\n"
		if c.escapes {
			special += "nt"
		}
		for _, inner := range p.Parts {
			c.part(b, inner, special)
		}
	case *syntax.ParamExp:
		b.Decoded(span(p), c.parameter(p).text)
	default:
		b.Decoded(span(p), scan.Unknown)
	}
}

// literal adds bytes as they stand but for backslashes. No special bytes means
// that all are.
func (c scope) literal(b *scan.Builder, at scan.Span, special string) {
	body, from := c.text.Body, at.Start
	for i := at.Start; i+1 < at.End; i++ {
		if body[i] != '\\' || special != "" && strings.IndexByte(special, body[i+1]) < 0 {
			continue
		}
		b.Verbatim(scan.Span{Start: from, End: i})
		if body[i+1] != '\n' {
			text := body[i+1 : i+2]
			if c.escapes && special != "" {
				text = strings.NewReplacer("n", "\n", "t", "\t").Replace(text)
			}
			b.Decoded(scan.Span{Start: i, End: i + 2}, text)
		}
		i++
		from = i + 1
	}
	b.Verbatim(scan.Span{Start: from, End: at.End})
}

// layerOf is how what a word says is written.
func layerOf(w *syntax.Word) scan.Layer {
	if len(w.Parts) == 1 {
		switch p := w.Parts[0].(type) {
		case *syntax.SglQuoted:
			if !p.Dollar {
				return singleQuotes
			}
		case *syntax.DblQuoted:
			return doubleQuotes
		}
	}
	return scan.Layer{Name: "a word of several quotes"}
}

// heredocs reads the here documents of a command: programs that it is fed, and
// files that it writes.
func (s *script) heredocs(c *command) {
	stmt := statement(c)
	for _, r := range stmt.Redirs {
		if r.Hdoc == nil {
			continue
		}
		if strings.HasSuffix(s.outputOf(c, stmt), ".aws/config") {
			s.config(scan.Span{Start: offset(r.Hdoc), End: s.documentEnd(r)})
			continue
		}
		if lang, origin, ok := s.readerOf(c, stmt, s.text.Body[offset(r.Hdoc):s.documentEnd(r)]); ok {
			first := len(s.facts.Texts)
			s.document(c, r, lang, origin)
			if s.outputOf(c, stmt) != "" {
				s.keepLater(first)
			}
			continue
		}
		for _, p := range r.Hdoc.Parts {
			if lit, ok := p.(*syntax.Lit); ok && !quotesDelimiter(r.Word) {
				s.escapedIn(c, span(lit))
			}
		}
	}
}

// readerOf tells who reads a here document.
func (s *script) readerOf(c *command, stmt *syntax.Stmt, body string) (scan.Lang, string, bool) {
	prefix, fields := unwrap(s.fieldsOf(c, nil))
	if len(fields) == 0 {
		return scan.Shell, "sudo", len(prefix) > 0 && path.Base(prefix[0].text) == "sudo"
	}
	name := path.Base(fields[0].text)
	switch lang, ok := languageOf(name); {
	case name == "ssh" || ok && after(fields, "-c") == nil && name != "alias" && name != "trap" && name != "watch":
		return lang, name, true
	case name == "crontab" || name == "at":
		return scan.Shell, name, true
	case name == "kubectl":
		return scan.Kubernetes, name, runs(body)
	case name != "cat" && name != "tee":
		return written("", body) // read, base64
	}
	for _, f := range fields[1:] {
		if name == "tee" && !strings.HasPrefix(f.text, "-") {
			return written(f.text, body)
		}
	}
	if file := s.outputOf(c, stmt); file != "" {
		return written(file, body)
	}
	if lang := s.pipedTo(c); lang != "" {
		return lang, "a pipe", true
	}
	return written("", body)
}

// redirected returns the file that a statement's output is redirected to.
func (c scope) redirected(stmt *syntax.Stmt) string {
	for _, r := range stmt.Redirs {
		if r.Op == syntax.RdrOut || r.Op == syntax.AppOut || r.Op == syntax.RdrClob {
			if r.N == nil || r.N.Value == "1" {
				return c.word(r.Word).text
			}
		}
	}
	return ""
}

// outputOf returns the file that a command's output is written to, by itself or
// through tee.
func (s *script) outputOf(c *command, stmt *syntax.Stmt) string {
	if file := s.scopeOf(c, nil).redirected(stmt); file != "" {
		return file
	}
	_, fields := unwrap(s.next(c))
	if len(fields) > 1 && path.Base(fields[0].text) == "tee" {
		_, files := options(fields[1:], "", nil)
		if len(files) > 0 {
			return files[0].text
		}
	}
	return ""
}

// next returns the command that a command's output is piped to.
func (s *script) next(c *command) []field {
	for i, n := range slices.Backward(c.path) {
		pipe, ok := n.(*syntax.BinaryCmd)
		if !ok {
			continue
		}
		if pipe.Op != syntax.Pipe || i+1 >= len(c.path) || c.path[i+1] != syntax.Node(pipe.X) {
			return nil
		}
		call, ok := pipe.Y.Cmd.(*syntax.CallExpr)
		if !ok {
			return nil
		}
		return s.fieldsOf(&command{call: call, in: c.in}, nil)
	}
	return nil
}

// pipedTo returns the language of what is piped into an interpreter.
func (s *script) pipedTo(c *command) scan.Lang {
	_, fields := unwrap(s.next(c))
	if len(fields) == 0 {
		return ""
	}
	name := path.Base(fields[0].text)
	lang, ok := languageOf(name)
	if ok && name != "alias" && name != "trap" || name == "crontab" || name == "at" {
		return lang
	}
	return ""
}

// written tells the language of a file by its first line and its name. What is
// written for people, or for nobody known, is none.
func written(file, body string) (scan.Lang, string, bool) {
	trimmed := strings.TrimLeft(body, " \t\r\n")
	first, _, _ := strings.Cut(trimmed, "\n")
	switch {
	case strings.HasPrefix(first, "#cloud-config"), strings.HasPrefix(first, "Content-Type: multipart"), strings.HasPrefix(first, "MIME-Version:"):
		return scan.CloudInit, file, true
	case strings.HasPrefix(first, "#!"):
		return scan.Script(trimmed, scan.Shell), file, true
	case file == "" || file == "/dev/stdout" || file == "/dev/stderr":
		return "", "", false
	}
	switch ext := strings.ToLower(path.Ext(file)); ext {
	case ".json", ".yaml", ".yml":
		return configuration(body), file, runs(body) && commandOption().MatchString(body)
	case ".sh", ".bash", ".profile", ".bashrc", ".zshrc", ".ksh", ".bash_profile":
		return scan.Bash, file, true
	case ".py":
		return scan.Python, file, true
	case ".rb":
		return scan.Ruby, file, true
	case ".js", ".mjs", ".ts":
		return scan.JavaScript, file, true
	case ".php":
		return scan.PHP, file, true
	case ".ps1":
		return scan.PowerShell, file, true
	case ".go":
		return scan.Go, file, true
	case ".java":
		return scan.Java, file, true
	case ".tf":
		return scan.Terraform, file, true
	case ".service", ".timer", ".path", ".socket", ".conf":
		if ext != ".conf" || strings.Contains(file, "systemd") {
			return scan.Systemd, file, true
		}
		return "", "", false
	case "":
		return scan.Shell, file, !shownName(path.Base(file))
	}
	return scan.Shell, file, !knownText().MatchString(file)
}

// shownName reports whether a file without an ending is one that is read, and
// never run.
func shownName(base string) bool {
	switch strings.ToLower(base) {
	case "readme", "motd", "issue", "banner", "notes", "changelog", "license", "config", "hosts", "fstab":
		return true
	}
	return false
}

// configuration tells the language of a configuration file.
func configuration(body string) scan.Lang {
	switch {
	case strings.Contains(body, "apiVersion:") && strings.Contains(body, "kind:"):
		return scan.Kubernetes
	case strings.Contains(body, "AWSTemplateFormatVersion"):
		return scan.CloudFormation
	}
	return scan.Plain
}

// commandOption matches a shell's option in a list of words: what follows it is
// run.
var commandOption = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`["' -]-[a-z]*c["'\s]`) })

// knownText matches names of files that nobody runs.
var knownText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\.(md|txt|rst|html?|json|ya?ml|toml|ini|cfg|cnf|conf|xml|css|csv|log|properties|tpl|tmpl|repo|list|pem|crt|env)$`)
})

// document yields a here document.
func (s *script) document(c *command, r *syntax.Redirect, lang scan.Lang, origin string) {
	b := s.text.Within()
	sc := s.scopeOf(c, nil)
	special, layer := "$`\\\n", expandedDocument(r.Word)
	if quotesDelimiter(r.Word) {
		special, layer = "\n", plainDocument(r.Word)
	}
	end := s.documentEnd(r)
	for _, p := range r.Hdoc.Parts {
		if lit, ok := p.(*syntax.Lit); ok {
			at := span(lit)
			at.End = min(at.End, end)
			sc.lines(b, at, r.Op == syntax.DashHdoc, special)
			continue
		}
		sc.part(b, p, "")
	}
	if t := b.Text(lang, layer, origin); t.Body != "" {
		s.facts.Texts = append(s.facts.Texts, t)
	}
}

// documentEnd returns where the line with the delimiter starts: the tree has it
// as a part of the document.
func (s *script) documentEnd(r *syntax.Redirect) int {
	end := span(r.Hdoc).End
	body := s.text.Body[offset(r.Hdoc):end]
	last := strings.LastIndexByte(body, '\n') + 1
	if strings.TrimLeft(body[last:], "\t") == (scope{}).word(r.Word).text {
		return end - len(body) + last
	}
	return end
}

// lines adds a part of a here document, without the tabs that <<- takes away.
// Backslashes count before the special bytes only; if just the newline is
// special, they don't count at all.
func (c scope) lines(b *scan.Builder, at scan.Span, dash bool, special string) {
	for at.Start < at.End {
		n := strings.IndexByte(c.text.Body[at.Start:at.End], '\n') + 1
		if n == 0 {
			n = at.End - at.Start
		}
		line := scan.Span{Start: at.Start, End: at.Start + n}
		for dash && line.Start < line.End && c.text.Body[line.Start] == '\t' && (line.Start == 0 || strings.IndexByte("\n\t", c.text.Body[line.Start-1]) >= 0) {
			line.Start++
		}
		if special == "\n" {
			b.Verbatim(line)
		} else {
			c.literal(b, line, special)
		}
		at.Start += n
	}
}

// quotesDelimiter reports whether any of a here document's delimiter is quoted,
// so that nothing in it is expanded.
func quotesDelimiter(w *syntax.Word) bool {
	for _, p := range w.Parts {
		lit, ok := p.(*syntax.Lit)
		if !ok || strings.Contains(lit.Value, `\`) {
			return true
		}
	}
	return false
}
