package cloudinit

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
	"tegata/scan/yaml"
)

// file reads a file that cloud-init writes.
//
// Source: https://docs.cloud-init.io/en/latest/reference/modules.html#write-files
func (d *data) file(f *yaml.Node) {
	content, name := f.Get("content"), f.Get("path").Str()
	if !content.IsScalar() {
		return
	}
	encoding := strings.ToLower(f.Get("encoding").Str())
	if content.Tag == "!!binary" {
		encoding = "b64"
	}
	body, plain, ok := contentOf(content.Value, encoding)
	if !ok {
		return
	}
	lang := language(name, body, f.Get("permissions").Str())
	if plain {
		d.yield(content.Text(lang, "write_files", name))
		return
	}
	outer := content.Text(scan.CloudInit, "write_files", name)
	b := outer.Within()
	b.Decoded(scan.Span{End: len(outer.Body)}, body)
	d.yield(b.Text(lang, scan.Layer{Name: encoding}))
}

// contentOf undoes a file's encoding.
func contentOf(s, encoding string) (body string, plain, ok bool) {
	switch encoding {
	case "", "text/plain":
		return s, true, true
	case "b64", "base64":
		body, ok = decode(s)
	case "gz", "gzip":
		body, ok = inflate(s)
	default: // gz+b64 and the other names of it
		if body, ok = decode(s); ok {
			body, ok = inflate(body)
		}
	}
	return body, false, ok
}

// language returns what a file is written in, by its name, its first line, and
// whether it can be executed.
func language(name, body, permissions string) scan.Lang {
	if lang := scan.Script(body, ""); lang != "" {
		return lang
	}
	base := path.Base(name)
	switch ext := path.Ext(base); {
	case scan.IsCrontab(name):
		return scan.Crontab
	case ext == ".sh":
		return scan.Shell
	case ext == ".bash", base == ".bashrc", base == ".bash_profile", base == ".profile", path.Dir(name) == "/etc/profile.d":
		return scan.Bash
	case ext == ".service", ext == ".timer", ext == ".socket", ext == ".path", ext == ".mount", strings.HasSuffix(path.Dir(name), ".service.d"):
		return scan.Systemd
	case ext == ".py":
		return scan.Python
	case ext == ".rb":
		return scan.Ruby
	case ext == ".js", ext == ".mjs":
		return scan.JavaScript
	case ext == ".php":
		return scan.PHP
	case ext == ".ps1":
		return scan.PowerShell
	case base == "Dockerfile":
		return scan.Docker
	case base == "Makefile":
		return scan.Make
	case ext == ".yml", ext == ".yaml":
		return document(body)
	case ext == "" && executable(permissions):
		return scan.Shell
	}
	return scan.Plain
}

// executable reports whether a mode such as "0755" lets anybody run the file.
func executable(permissions string) bool {
	return len(permissions) >= 3 && strings.ContainsAny(permissions[len(permissions)-3:], "1357")
}

// kinds find what documents of YAML are for.
var kinds = sync.OnceValue(func() map[scan.Lang]*regexp.Regexp {
	return map[scan.Lang]*regexp.Regexp{
		scan.Kubernetes: regexp.MustCompile(`(?m)^apiVersion\s*:`),
		scan.Compose:    regexp.MustCompile(`(?m)^services\s*:`),
		scan.Ansible:    regexp.MustCompile(`(?m)^- +(hosts|name)\s*:`),
	}
})

func document(body string) scan.Lang {
	for _, lang := range []scan.Lang{scan.Kubernetes, scan.Compose, scan.Ansible} {
		if kinds()[lang].MatchString(body) {
			return lang
		}
	}
	return scan.Plain
}
