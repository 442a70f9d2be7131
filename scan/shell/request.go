package shell

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// A request is what one command asks a web server, and how.
type request struct {
	client  string  // curl, wget, …
	program field   // its name as the script has it
	prefix  []field // the programs that run it, with their arguments
	first   *field  // curl's -q and its like, which only count as the first argument; nil if there is none
	method  string  // upper case
	urls    []field
	headers []field
	keep    []kept
	fails   bool   // the exit status tells of 4xx and 5xx
	discard bool   // nothing of the answer's body is kept
	status  bool   // the status code is written
	leaks   *field // the option by which headers that are sent are logged; nil if they aren't
	next    bool   // there are several requests, with options of their own

	configured bool // options are read from a file; once asked, only if that may hold the token
	foreign    bool // a command that the text doesn't show makes it
	raw        bool // it is written by hand, to a socket

	target scan.Target // of the first URL that is the metadata service's
	url    field       // which that is

	at      scan.Span
	command *command         // that makes it, or calls the wrapper
	wrapper *syntax.FuncDecl // that makes it with an URL of its caller's; nil if there is none
	body    *command         // of the wrapper

	findings []int        // of it, among those of the text
	hoisted  *scan.Splice // gets the token that it shares with others; nil if it shares none
	token    string       // the name of the variable with that token
}

// A kept option of a request is one that its token request needs, too.
type kept struct {
	name  string
	value *field
}

// readerOf returns how a client's arguments are read; nil for other programs.
func readerOf(name string) func(*request, []field) {
	switch name {
	case "curl":
		return (*request).readCurl
	case "wget", "wget2":
		return (*request).readWget
	case "http", "https", "httpie", "xh":
		return (*request).readHTTPie
	case "fetch", "aria2c", "axel", "lynx", "links", "elinks", "w3m", "GET", "HEAD", "lwp-request", "http_get":
		return (*request).readOther
	}
	return nil
}

// newRequest reads the arguments of a client. It returns nil if the program is
// no client.
func newRequest(program field, args []field) *request {
	name := strings.TrimSuffix(path.Base(program.text), ".exe")
	if placeholder := strings.Trim(name, "@"); len(placeholder) == len(name)-2 {
		name = strings.ToLower(placeholder) // @CURL@, for configure
	}
	read := readerOf(name)
	if read == nil {
		return nil
	}
	r := &request{client: name, program: program, method: "GET"}
	read(r, args)
	for _, u := range r.urls {
		target, ok := findTarget(u.text)
		if ok && onlyURL(u.text, target) {
			r.target, r.url = target, u
			break
		}
	}
	return r
}

// onlyURL reports whether an argument is the target's URL, not a text about it.
func onlyURL(s string, t scan.Target) bool {
	before, _, _ := strings.Cut(s, t.Host)
	before = strings.TrimSuffix(before, "[")
	return before == "" || strings.HasSuffix(before, "://") && !strings.ContainsAny(before, " ?") || before == scan.Unknown
}

// An option as it is written: a name, and a value if it takes one.
type option struct {
	name  string // "-o", "--output"
	value *field
	from  field // the argument that it is in
}

// options cuts arguments into options and the others. Short ones may be joined;
// short and long name those that take a value.
func options(args []field, short string, long []string) (out []option, rest []field) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a.text == "--":
			return out, append(rest, args[i+1:]...)
		case strings.HasPrefix(a.text, "--"):
			name, joined, ok := strings.Cut(a.text, "=")
			o := option{name: name, from: a}
			if ok {
				o.value = a.tail(joined)
			} else if slices.Contains(long, name[2:]) && i+1 < len(args) {
				i++
				o.value = &args[i]
			}
			out = append(out, o)
		case strings.HasPrefix(a.text, "-") && len(a.text) > 1 && a.text[1] != '{':
			var next *field
			if i+1 < len(args) {
				next = &args[i+1]
			}
			cluster, took := joinedOptions(a, next, short)
			out = append(out, cluster...)
			if took {
				i++
			}
		default:
			rest = append(rest, a)
		}
	}
	return out, rest
}

// joinedOptions cuts -sSo file: the last takes the next argument, or what is
// left of its own.
func joinedOptions(a field, next *field, short string) (out []option, took bool) {
	for i := 1; i < len(a.text); i++ {
		o := option{name: "-" + a.text[i:i+1], from: a}
		if !strings.Contains(short, a.text[i:i+1]) {
			out = append(out, o)
			continue
		}
		if i+1 < len(a.text) {
			o.value = a.tail(a.text[i+1:])
			return append(out, o), false
		}
		o.value = next
		return append(out, o), next != nil
	}
	return out, false
}

// tail is the end of a field as one of its own. Where it stands is known if
// nothing of it was expanded.
func (f field) tail(text string) *field {
	g := f
	g.text, g.word = text, nil
	return &g
}

// text returns the option's value, or "".
func (o option) text() string {
	if o.value == nil {
		return ""
	}
	return o.value.text
}

// discards reports whether a file is one that forgets.
func discards(name string) bool { return name == "/dev/null" || strings.EqualFold(name, "nul") }
