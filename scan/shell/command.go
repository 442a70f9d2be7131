package shell

import (
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// read finds what the script asks the metadata service, and what else runs or
// is written in it.
func (s *script) read() {
	for _, c := range s.commands {
		s.heredocs(c)
		switch name := c.call.Args[0].Lit(); {
		case strings.HasPrefix(name, "-"):
			s.unrun(c)
		case !keeps(name) && !installs(name) && s.worthReading(c, name):
			s.command(c, s.fieldsOf(c, nil))
		}
	}
	s.sockets()
	s.judge()
}

func (s *script) fieldsOf(c *command, args []field) []field {
	return s.scopeOf(c, args).fields(c.call.Args)
}

// worthReading reports whether a command can have to do with the metadata
// service: it names it, or a variable that may stand for it.
func (s *script) worthReading(c *command, name string) bool {
	at := span(c.call)
	return name == "aws" || name == "xargs" || s.concerned(s.text.Body[at.Start:at.End])
}

// concerned reports whether what is looked for is named in a part of the text,
// or in what one of its variables is given.
func (s *script) concerned(text string) bool {
	if promising(text) {
		return true
	}
	for name := range variables(text) {
		known, ok := s.concerns[name]
		if !ok {
			s.concerns[name] = false // for those that are made of themselves
			known = slices.ContainsFunc(s.assigned[name], func(a assignment) bool {
				return s.concernedWord(a.word) || slices.ContainsFunc(a.array, s.concernedWord)
			})
			s.concerns[name] = known
		}
		if known {
			return true
		}
	}
	return false
}

func (s *script) concernedWord(w *syntax.Word) bool {
	return w != nil && s.concerned(s.text.Body[offset(w):span(w).End])
}

// variables are the names that stand behind a dollar sign.
func variables(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, after, ok := strings.Cut(text, "$")
			if !ok {
				return
			}
			text = strings.TrimLeft(after, "{!#")
			n := strings.IndexFunc(text, func(c rune) bool { return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) })
			if n < 0 {
				n = len(text)
			}
			if n > 0 && !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

// unrun reports X=curl -s …, which sets X and runs -s.
func (s *script) unrun(c *command) {
	assigns := c.call.Assigns
	if len(assigns) == 0 {
		return
	}
	w := assigns[len(assigns)-1].Value
	if w == nil {
		return
	}
	r := newRequest(field{value: value{text: w.Lit()}, at: span(w)}, s.fieldsOf(c, nil))
	if r == nil || r.target.Whose != scan.AWS {
		return
	}
	s.facts.Findings = append(s.facts.Findings, scan.Finding{
		ID: "TG1009", Confidence: scan.Likely, At: span(c.call), Evidence: r.evidence(s.lines), Why: whyUnrun,
	})
}

// command reads one simple command.
func (s *script) command(c *command, fields []field) {
	prefix, fields := unwrap(fields)
	if len(fields) == 0 {
		return
	}
	name := path.Base(fields[0].text)
	if speaks(name) {
		s.speech(c, name, fields)
		return
	}
	if r := newRequest(fields[0], fields[1:]); r != nil && (s.functions[name] == nil || name == "curl" || name == "wget") {
		r.prefix = prefix
		s.ask(c, r)
		return
	}
	if s.interpreter(c, fields) {
		return
	}
	if name == "aws" {
		s.aws(c, fields)
	}
	if i := clientIn(fields); i > 0 {
		if r := newRequest(fields[i], fields[i+1:]); r.target.Host != "" {
			r.prefix = append(prefix, fields[:i]...)
			s.ask(c, r)
			return
		}
	}
	if f, ok := s.functions[name]; ok {
		if !s.commandLine(c, name, fields, s.runsArguments(f)) {
			s.through(c, f, fields[1:], deepest/2)
		}
		return
	}
	s.stranger(c, name, fields)
	s.commandLine(c, name, fields, runsCommands(name))
}

// commandLine hands over a command line that a function is given as one
// argument, if the function runs it. It reports whether there was one.
func (s *script) commandLine(c *command, name string, fields []field, isRun bool) (found bool) {
	if !isRun || keeps(name) || len(fields) > 1 && searches(fields[1].text) {
		return false
	}
	for _, f := range fields[1:] {
		first, _, _ := strings.Cut(strings.TrimSpace(f.text), " ")
		if f.word != nil && (first == "sudo" || readerOf(path.Base(first)) != nil) && runs(f.text) {
			s.embed(c, f.word, scan.Shell, name)
			found = true
		}
	}
	return found
}

// searches reports whether a program looks for its arguments in files.
func searches(name string) bool {
	switch name {
	case "grep", "egrep", "fgrep", "rg", "ag", "ack", "sed":
		return true
	}
	return false
}

// runsArguments reports whether a function has a shell read what it is given.
func (s *script) runsArguments(f *syntax.FuncDecl) bool {
	for _, c := range s.within[f] {
		if name := c.call.Args[0].Lit(); name == "eval" || name == "bash" || name == "sh" || name == "ssh" {
			return true
		}
	}
	return false
}

// runsCommands reports whether a name says that a function runs what it is
// given.
func runsCommands(name string) bool {
	lower := strings.ToLower(name)
	for _, word := range []string{"run", "exec", "cmd", "retry", "try", "eval", "capture", "command", "wait", "ssh", "ansible", "vagrant", "remote", "tmux"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// speaks reports whether a command only writes its arguments, for people or
// into a file.
func speaks(name string) bool {
	switch name {
	case "echo", "printf", "print", "logger", "wall", "fail", "die", "usage", "warn", "warning", "info", "error", "err", "debug", "msg", "message", "say", "note", "notice", "fatal", "abort", "panic":
		return true
	}
	return strings.HasPrefix(name, "log") && name != "login" || strings.HasPrefix(name, "print_") || strings.HasPrefix(name, "echo_")
}

// keeps reports whether a command is about addresses, not for requests: rules,
// routes, searches and the like.
func keeps(name string) bool {
	switch name {
	case ":", "true", "false", "iptables", "ip6tables", "ip", "nft", "ufw", "firewall-cmd", "route", "grep", "egrep", "fgrep", "rg", "sed", "awk", "gawk",
		"test", "[", "ping", "ping6", "traceroute", "nmap", "nslookup", "dig", "host", "getent", "arping", "tcpdump", "export", "set",
		"unset", "read", "kill", "cut", "tr", "git", "cd", "ls", "assert", "assertEquals", "assert_equal", "assert_contains", "skip", "type", "which", "hash":
		return true
	}
	return false
}

// unwrap cuts off programs that run another one with the rest of their
// arguments.
func unwrap(fields []field) (prefix, rest []field) {
	rest = fields
	for len(rest) > 0 {
		n := wrapper(rest)
		if n == 0 {
			break
		}
		prefix, rest = append(prefix, rest[:n]...), rest[n:]
	}
	return prefix, rest
}

// wrapper returns how many fields a wrapping program and its own arguments are;
// 0 if the first is none.
func wrapper(fields []field) int {
	values, positional := "", 0
	switch path.Base(fields[0].text) {
	case "sudo":
		values = "ughpCrtTUDR"
	case "doas", "setsid", "nohup", "exec", "builtin", "time", "stdbuf", "chronic", "unbuffer", "busybox", "toybox", "then", "ionice", "!":
		values = map[string]string{"doas": "uC", "exec": "a", "stdbuf": "ioe", "time": "of", "ionice": "cnp"}[path.Base(fields[0].text)]
	case "command":
		if len(fields) > 1 && strings.ContainsAny(fields[1].text, "vV") && strings.HasPrefix(fields[1].text, "-") {
			return 0
		}
	case "nice":
		values = "n"
	case "env":
		values = "uC"
	case "timeout", "gtimeout":
		values, positional = "sk", 1
	case "xargs":
		values = "IiLnPsadE"
	case "watch":
		values = "nd"
		if strings.Contains(fields[len(fields)-1].text, " ") {
			return 0 // a command line of its own
		}
	default:
		return 0
	}
	n := 1
	for n < len(fields) && (strings.HasPrefix(fields[n].text, "-") && fields[n].text != "-" || assigns(fields[n].text)) {
		text := fields[n].text
		n++
		if len(text) == 2 && text[0] == '-' && strings.Contains(values, text[1:]) {
			n++
		}
	}
	return min(n+positional, len(fields))
}

// assigns reports whether an argument of env or sudo sets a variable.
func assigns(s string) bool {
	name, _, ok := strings.Cut(s, "=")
	return ok && syntax.ValidName(name)
}

// clientIn returns where among a command's arguments a client of its own is
// named: retry 5 curl …, docker exec web curl …
func clientIn(fields []field) int {
	if name := path.Base(fields[0].text); keeps(name) || installs(name) {
		return -1
	}
	return slices.IndexFunc(fields, func(f field) bool {
		base := path.Base(f.text)
		return base == "curl" || base == "wget"
	})
}

func installs(name string) bool {
	switch name {
	case "apt-get", "apt", "yum", "dnf", "apk", "brew", "pip", "npm", "gem", "zypper", "pacman", "snap":
		return true
	}
	return false
}

// ask keeps a request if it is one of the metadata service.
func (s *script) ask(c *command, r *request) {
	if r.target.Host == "" {
		s.fromPipe(c, r)
	}
	if r.target.Host == "" {
		return
	}
	r.command = c
	r.at = span(c.call)
	r.configured = r.configured && mentionsToken(s.text.Body)
	s.requests = append(s.requests, r)
}

// fromPipe completes xargs curl with what the pipe before it says.
func (s *script) fromPipe(c *command, r *request) {
	if len(r.prefix) == 0 || path.Base(r.prefix[0].text) != "xargs" {
		return
	}
	for _, n := range slices.Backward(c.path) {
		pipe, ok := n.(*syntax.BinaryCmd)
		if !ok || pipe.Op != syntax.Pipe && pipe.Op != syntax.PipeAll {
			continue
		}
		call, ok := pipe.X.Cmd.(*syntax.CallExpr)
		if !ok {
			return
		}
		for _, f := range s.fieldsOf(&command{call: call, in: c.in}, nil) {
			if target, ok := findTarget(f.text); ok {
				r.target, r.url = target, f
				return
			}
		}
	}
}

// through follows a call of a function of the script: requests whose URL is
// made of its arguments are the caller's.
func (s *script) through(c *command, f *syntax.FuncDecl, args []field, depth int) {
	if depth == 0 || !slices.ContainsFunc(args, telling) {
		return
	}
	for _, inner := range s.within[f] {
		prefix, fields := unwrap(s.fieldsOf(inner, args))
		if len(fields) == 0 {
			continue
		}
		if g, ok := s.functions[path.Base(fields[0].text)]; ok && g != f {
			s.through(c, g, fields[1:], depth-1)
			continue
		}
		r := newRequest(fields[0], fields[1:])
		if r == nil || r.target.Host == "" || s.asksAlone(inner) {
			continue
		}
		r.prefix, r.command, r.at = prefix, c, span(c.call)
		r.body, r.wrapper = inner, f
		s.requests = append(s.requests, r)
	}
}

func telling(f field) bool {
	_, ok := findTarget(f.text)
	return ok
}

// asksAlone reports whether a command in a function's body is known to ask the
// metadata service, however the function is called.
func (s *script) asksAlone(c *command) bool {
	_, fields := unwrap(s.fieldsOf(c, nil))
	if len(fields) == 0 {
		return false
	}
	r := newRequest(fields[0], fields[1:])
	return r != nil && r.target.Host != ""
}

// stranger reads a command that is defined elsewhere: what it does with the
// URL that it is given can only be guessed.
func (s *script) stranger(c *command, name string, fields []field) {
	if keeps(name) || installs(name) || slices.ContainsFunc(fields, func(f field) bool { return strings.Contains(strings.ToLower(f.text), tokenHeader) }) {
		return
	}
	for _, f := range fields[1:] {
		target, ok := findTarget(f.text)
		if !ok || !onlyURL(f.text, target) || target.Path == "" || !fetches(name) {
			continue
		}
		s.requests = append(s.requests, &request{
			client: name, program: fields[0], method: "GET", urls: []field{f}, target: target, url: f,
			command: c, at: span(c.call), foreign: true,
		})
		return
	}
}

// fetches reports whether a name says that a function gets what an address
// holds.
func fetches(name string) bool {
	lower := strings.ToLower(name)
	if standsIn(lower) {
		return false
	}
	for _, word := range []string{"curl", "wget", "fetch", "get", "http", "metadata", "imds", "download", "request", "retry", "query", "read"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// standsIn reports whether a name is that of a function for tests, which makes
// no request.
func standsIn(name string) bool {
	for _, word := range []string{"mock", "stub", "fake", "assert", "expect"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// shifted is how many arguments of a function are gone at an offset.
func (s *script) shifted(in *syntax.FuncDecl, at int) int {
	n := 0
	for _, c := range s.called["shift"] {
		if c.in != in || offset(c.call) >= at {
			continue
		}
		by := 1
		if len(c.call.Args) > 1 {
			by, _ = strconv.Atoi(c.call.Args[1].Lit())
		}
		n += by
	}
	return n
}
