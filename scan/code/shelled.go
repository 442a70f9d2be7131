package code

import (
	"slices"
	"strings"
)

// shelled reports whether a shell runs a string that is a command: because there
// is more in it than words, or because of what is called with it.
func (p *program) shelled(t token, list []token, i int, body string) bool {
	if !t.form.command && !p.ranLater(list, i) && p.partOfMore(list, i) {
		return false
	}
	if t.form.command || strings.ContainsAny(body, "|;&<>`$\n") || p.runsByShell() {
		return true
	}
	var users []*call
	for _, c := range p.calls {
		if c.at.Start <= t.at.Start && t.at.End <= c.at.End && p.holds(c, t) {
			users = append(users, c)
		}
	}
	if name := at(list, i-2); len(users) == 0 && is(at(list, i-1), "=", ":=") && name.kind == word {
		users = p.users(name)
	}
	if len(users) == 0 {
		return p.scriptNamed(list, i)
	}
	return slices.ContainsFunc(users, p.shell) && !slices.ContainsFunc(users, splits)
}

// partOfMore reports whether the name that a string is set to is joined with
// others: what quotes stand around the whole is not known here.
func (p *program) partOfMore(list []token, i int) bool {
	name := at(list, i-2)
	if !is(at(list, i-1), "=", ":=") || name.kind != word {
		return false
	}
	for j, t := range p.tokens {
		if t.kind == word && t.s == name.s && t.at.Start > name.at.Start && (is(at(p.tokens, j-1), "+") || is(at(p.tokens, j+1), "+")) {
			return true
		}
	}
	return false
}

// runsByShell reports whether all that runs a command in a language gives it to a
// shell, as soon as there is anything for one in it.
func (p *program) runsByShell() bool {
	switch p.lang {
	case "ruby", "perl", "php", "lua":
		return true
	}
	return false
}

// users returns the calls that have a name among their arguments.
func (p *program) users(name token) (out []*call) {
	for _, c := range p.calls {
		for _, arg := range c.args {
			if c.at.Start > name.at.Start && slices.ContainsFunc(arg, func(t token) bool { return t.kind == word && t.s == name.s }) {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

// scriptNamed reports whether a string is set to a name of what a shell reads.
func (p *program) scriptNamed(list []token, i int) bool {
	for j := i - 1; j >= 0 && j > i-40 && list[j].kind != newline; j-- {
		if name := strings.ToLower(list[j].value()); list[j].kind == word && (strings.Contains(name, "script") || strings.Contains(name, "data") || strings.Contains(name, "bootstrap") || strings.Contains(name, "shell")) {
			return true
		}
	}
	return false
}

// splits reports whether a call takes a command apart at its spaces.
func splits(c *call) bool { return strings.HasSuffix(strings.ToLower(c.last()), "split") }

// shell reports whether a call gives a command to a shell.
func (p *program) shell(c *call) bool {
	for i, t := range c.own {
		switch {
		case t.kind == text && (t.decoded() == "-c" || t.decoded() == "-lc"):
			return true
		case t.kind == word && t.s == "shell" && is(at(c.own, i+1), "=", ":") && strings.EqualFold(at(c.own, i+2).s, "true"):
			return true
		}
	}
	name := strings.ToLower(c.last())
	if strings.Contains(name, "ssh") || strings.Contains(name, "remote") || strings.Contains(name, "shell") {
		return true
	}
	switch p.lang {
	case "python":
		return p.pythonShell(c)
	case "javascript":
		return slices.Contains([]string{"exec", "execSync", "addCommands", "addUserData"}, c.last())
	case "go":
		return !strings.HasPrefix(c.name, "exec.") && slices.Contains([]string{"Run", "Output", "CombinedOutput", "Start"}, c.last())
	case "java":
		return c.last() == "sh" || c.last() == "bash"
	}
	return false
}

// pythonShell knows the functions of Python, and of Fabric and Paramiko, that
// need not be told to use a shell.
func (p *program) pythonShell(c *call) bool {
	switch c.last() {
	case "system", "popen", "popen2", "popen3", "getoutput", "getstatusoutput", "exec_command":
		return true
	case "run", "sudo", "local":
		return !strings.Contains(p.t.Body, "subprocess")
	}
	return false
}
