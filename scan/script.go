package scan

import (
	"path"
	"strings"
)

// Unknown stands in a [Text] for what is filled in before anybody reads it: a
// value that a template puts in. It is a word of every shell.
const Unknown = "{}"

// Script returns the language that the first line of a script names, or the
// given one if there is no such line.
//
// Source: https://man7.org/linux/man-pages/man2/execve.2.html
func Script(body string, otherwise Lang) Lang {
	line, _, _ := strings.Cut(body, "\n")
	command, ok := strings.CutPrefix(line, "#!")
	if !ok {
		return otherwise
	}
	words := strings.Fields(command)
	if len(words) > 1 && path.Base(words[0]) == "env" {
		words = words[1:]
		for len(words) > 1 && (strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=")) {
			words = words[1:]
		}
	}
	if len(words) == 0 {
		return otherwise
	}
	return interpreter(strings.TrimSuffix(path.Base(words[0]), ".exe"))
}

func interpreter(name string) Lang {
	switch bare := strings.TrimRight(name, "0123456789."); bare {
	case "sh", "dash", "ash", "busybox":
		return Shell
	case "bash", "ksh", "mksh", "zsh", "bats":
		return Bash
	case "pwsh", "powershell":
		return PowerShell
	case "python", "pypy":
		return Python
	case "node", "nodejs", "deno", "bun":
		return JavaScript
	case "ruby":
		return Ruby
	case "php":
		return PHP
	case "make":
		return Make
	case "ansible-playbook":
		return Ansible
	}
	return Plain
}
