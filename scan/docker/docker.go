// Package docker reads Dockerfiles: what runs while an image is built, and what
// its containers run.
//
// Source: https://docs.docker.com/reference/dockerfile/
package docker

import (
	"errors"
	"path"
	"strings"

	"tegata/scan"
)

// Detect returns the scripts and commands in a Dockerfile as texts.
func Detect(t *scan.Text) scan.Facts {
	b := build{variables: map[string]string{}, shell: scan.Shell}
	for _, i := range instructions(t) {
		b.instruction(i.name, i.text, i)
	}
	return scan.Facts{Texts: b.texts}
}

// A build is what is known of an image up to an instruction.
type build struct {
	texts     []*scan.Text
	shell     scan.Lang
	variables map[string]string
}

// buildTime can't be changed: what an instance answers does not belong into an
// image.
var buildTime = scan.Layer{Name: "an instruction that builds an image"}

// runTime is the command of a container, in one line.
var runTime = scan.Layer{Name: "an instruction of a Dockerfile", Encode: func(s string) (string, error) {
	if strings.Contains(s, "\n") {
		return "", errors.New("an instruction can't hold a line break")
	}
	return s, nil
}}

func (b *build) instruction(name string, t *scan.Text, i instruction) {
	switch name {
	case "FROM":
		b.shell = scan.Shell
		if strings.Contains(t.Body, "windows") {
			b.shell = scan.Batch
		}
	case "SHELL":
		if words := list(t.Body, 0); len(words) > 0 {
			b.shell = scan.Script("#!"+strings.ToLower(words[0].String()), scan.Batch)
			if b.shell == scan.Plain {
				b.shell = scan.Batch
			}
		}
	case "ENV", "ARG":
		b.set(t.Body)
	case "ONBUILD":
		name, at := firstWord(t.Body)
		b.instruction(name, rest(t, at), i)
	case "RUN":
		b.run(t, i)
	case "CMD", "ENTRYPOINT":
		b.command(t, 0, runTime, name)
	case "HEALTHCHECK":
		if i := strings.Index(t.Body, "CMD"); i >= 0 {
			b.command(t, i+len("CMD"), runTime, name)
		}
	case "COPY", "ADD":
		b.copied(t, i)
	}
}

// set notes variables: NAME=value …, or NAME value.
func (b *build) set(line string) {
	if name, value, ok := strings.Cut(line, " "); ok && !strings.Contains(name, "=") {
		b.variables[name] = strings.TrimSpace(value)
		return
	}
	for _, word := range strings.Fields(line) {
		if name, value, ok := strings.Cut(word, "="); ok {
			b.variables[name] = strings.Trim(value, `"'`)
		}
	}
}

// run reads a command of the build, and the scripts that it is given as here
// documents.
func (b *build) run(t *scan.Text, i instruction) {
	start := afterOptions(t.Body, 0)
	word, _, _ := strings.Cut(strings.TrimLeft(t.Body[start:], " \t"), " ")
	if len(i.documents) == 1 && isDocument(word) {
		script := i.documents[0].text
		script.Lang = scan.Script(script.Body, b.shell)
		script.Origin = append(script.Origin, scan.ImageBuild)
		if !isDocument(strings.TrimSpace(t.Body[start:])) { // the document is fed to a program
			_, program, _ := strings.Cut(t.Body[start:], word)
			script.Lang = scan.Script("#!"+program, script.Lang)
		}
		b.texts = append(b.texts, script)
		return
	}
	if len(i.documents) > 0 {
		t = i.whole
		start = afterOptions(t.Body, 0)
	}
	b.command(t, start, buildTime, "RUN", scan.ImageBuild)
}

// copied reads files whose content stands in the Dockerfile.
func (b *build) copied(t *scan.Text, i instruction) {
	words := strings.Fields(t.Body)
	if len(words) == 0 {
		return
	}
	target := words[len(words)-1]
	for _, d := range i.documents {
		name := target
		if strings.HasSuffix(target, "/") {
			name = path.Join(target, d.name)
		}
		lang := scan.KindOf(name, []byte(d.text.Body))
		if lang == "" || lang == scan.Plain {
			lang = scan.Script(d.text.Body, scan.Plain)
		}
		d.text.Lang, d.text.Origin = lang, append(d.text.Origin, name)
		b.texts = append(b.texts, d.text)
	}
}

// command reads the command of an instruction: words in JSON, or a line for the
// shell.
func (b *build) command(t *scan.Text, at int, layer scan.Layer, origin ...string) {
	words := list(t.Body, at)
	if words == nil {
		inner := t.Within()
		b.expand(inner, t.Body, at)
		b.texts = append(b.texts, inner.Text(b.shell, layer, origin...))
		return
	}
	if lang, script := program(words); script != nil {
		inner := t.Within()
		script.addTo(inner)
		layer := scan.Layer{Name: "a JSON string", Encode: inJSON}
		if origin[len(origin)-1] == scan.ImageBuild {
			layer.Encode = nil
		}
		b.texts = append(b.texts, inner.Text(lang, layer, origin...))
		return
	}
	inner := t.Within()
	for i, w := range words {
		if i > 0 {
			inner.Made(w.start, " ")
		}
		w.addTo(inner)
	}
	b.texts = append(b.texts, inner.Text(scan.Shell, scan.Layer{Name: "words of a command", Encode: func(string) (string, error) {
		return "", errors.New("no shell runs the command, which a token would need")
	}}, origin...))
}

// expand adds a line with the variables that hold an address: its reader
// doesn't know what the image sets.
func (b *build) expand(inner *scan.Builder, body string, at int) {
	for from := at; ; {
		i := strings.IndexByte(body[at:], '$')
		if i < 0 {
			inner.Verbatim(scan.Span{Start: from, End: len(body)})
			return
		}
		at += i
		n, name := variable(body[at:])
		if _, ok := scan.FindTarget(b.variables[name]); ok {
			inner.Verbatim(scan.Span{Start: from, End: at})
			inner.Decoded(scan.Span{Start: at, End: at + n}, b.variables[name])
			from = at + n
		}
		at += n
	}
}

// variable returns the length of $NAME or ${NAME}, and the name.
func variable(s string) (int, string) {
	start := 1
	if strings.HasPrefix(s, "${") {
		start = 2
	}
	end := start
	for end < len(s) && (s[end] == '_' || s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z' || s[end] >= '0' && s[end] <= '9') {
		end++
	}
	name := s[start:end]
	if start == 2 {
		if end == len(s) || s[end] != '}' {
			return 1, ""
		}
		end++
	}
	return max(end, 1), name
}

// program returns the argument of -c of a shell among words.
func program(words []word) (scan.Lang, *word) {
	for i := 0; i+2 < len(words); i++ {
		lang := scan.Script("#!"+strings.ToLower(words[i].String()), scan.Plain)
		if lang == scan.Plain || strings.ContainsAny(words[i].String(), " \t") {
			continue
		}
		for j := i + 1; j+1 < len(words); j++ {
			option := words[j].String()
			if strings.HasPrefix(option, "-") && !strings.HasPrefix(option, "--") && (strings.HasSuffix(option, "c") || strings.EqualFold(option, "-command")) {
				return lang, &words[j+1]
			}
		}
	}
	return "", nil
}
