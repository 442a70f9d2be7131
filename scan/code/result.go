package code

import (
	"slices"
	"strings"

	"tegata/scan"
)

// methods applies what is called on a value.
func (p *program) methods(ts []token, i int, v value, fr frame) value {
	for i < len(ts) {
		if ts[i].kind == newline {
			i++
			continue
		}
		if !is(ts[i], ".") || at(ts, i+1).kind != word {
			return v
		}
		name := ts[i+1].s
		i += 2
		var args [][]token
		if is(at(ts, i), "(") && ts[i].jump > 0 {
			args = split(inner(ts, i), ",")
			i = past(ts, i)
		}
		v = p.method(v, name, args, fr)
	}
	return v
}

// method returns what is known of value.name(args).
func (p *program) method(v value, name string, args [][]token, fr frame) value {
	switch strings.ToLower(name) {
	case "format", "formatted", "interpolate":
		return p.filled(v, p.howFormatted(name), args, fr)
	case "concat", "append", "resolve", "path", "joinpath", "addpathsegments", "plus":
		if len(args) == 1 {
			v.add(p.eval(args[0], fr.deeper()))
		}
		return v
	case "sethost", "withhost", "host":
		if len(args) == 1 {
			w := p.eval(args[0], fr.deeper())
			w.s = "http://" + w.s
			return w
		}
	case "setscheme", "withscheme", "scheme", "setport", "withport", "port":
		return v
	case "setpath", "withpath", "replacepath", "encodedpath":
		if len(args) == 1 {
			w := p.eval(args[0], fr.deeper())
			w.s = "/" + strings.TrimLeft(w.s, "/")
			v.add(w)
		}
		return v
	case "addpathsegment":
		if len(args) == 1 {
			v.s += "/"
			v.add(p.eval(args[0], fr.deeper()))
		}
		return v
	case "rstrip", "chomp", "trimend":
		v.s = strings.TrimRight(v.s, "/\n ")
		return v
	case "join":
		if v.items != nil && len(args) == 1 {
			return p.list(v.items, p.eval(args[0], fr.deeper()).s, fr)
		}
		if len(args) == 1 {
			if items := p.eval(args[0], fr.deeper()).items; items != nil {
				return p.list(items, v.s, fr)
			}
		}
		return unknown
	}
	for _, f := range v.fields {
		if f.name == name && args == nil {
			return p.eval(f.value, fr.deeper())
		}
	}
	if passes(name) {
		return v
	}
	return unknown
}

func (p *program) list(items [][]token, separator string, fr frame) (out value) {
	for i, item := range items {
		if i > 0 {
			out.s += separator
		}
		out.add(p.eval(item, fr.deeper()))
	}
	return out
}

// passes reports methods that leave of a URL what matters here.
func passes(name string) bool {
	switch strings.ToLower(name) {
	case "to_s", "tostring", "to_str", "strip", "lstrip", "trim", "trimstart", "freeze", "encode", "decode", "tourl", "touri", "build", "string", "href", "uri", "url",
		"hostname", "host", "unwrap", "parse", "as_str", "into", "to_string", "to_owned", "clone", "absoluteuri", "toexternalform", "items", "values", "iteritems", "itervalues", "each", "each_pair", "entries", "geturl", "query", "gethost", "format!", "dup", "normalize":
		return true
	}
	return false
}

// result returns what is known of what a function returns.
func (p *program) result(name string, args [][]token, last token, fr frame) value {
	short := name[strings.LastIndexByte(name, '.')+1:]
	switch short {
	case "Sprintf", "sprintf", "format", "Format", "format!", "Sprint":
		if len(args) > 0 {
			return p.filled(p.eval(args[0], fr.deeper()), p.howFormatted(short), args[1:], fr)
		}
	case "join", "urljoin", "URLJoin", "Join", "JoinPath", "Combine", "resolve":
		return p.slashed(args, fr)
	case "get", "getenv", "Getenv", "fetch", "getProperty", "getOrDefault", "env", "getattr", "GetEnvironmentVariable", "config", "setting":
		if len(args) > 1 {
			v := p.eval(args[len(args)-1], fr.deeper())
			v.chosen = true
			return v
		}
		return unknown
	case "dict", "array":
		return value{s: scan.Unknown, fields: fields(args)}
	}
	if f := p.declaredAs(short, len(args)); f != nil && fr.depth < deepestValue {
		return p.returned(f, args, fr)
	}
	if (short == "URL" || short == "URI") && len(args) > 2 {
		return p.ofParts(args, fr)
	}
	if len(args) == 1 && p.typed(short) {
		return p.eval(args[0], fr.deeper())
	}
	if wraps(short) && len(args) > 0 {
		if v := p.eval(args[0], fr.deeper()); v.s != scan.Unknown || len(args) == 1 || len(v.fields) > 0 {
			if second := nth(args, 1); second != nil && (short == "URL" || short == "Uri" || short == "URI") {
				if w := p.eval(second, fr.deeper()); strings.Contains(w.s, "://") {
					return value{s: w.s + v.s, constants: append(w.constants, v.constants...)}
				} else if _, ok := target(v.s); ok && w.s != scan.Unknown {
					v.s = strings.TrimRight(v.s, "/") + "/" + strings.TrimLeft(w.s, "/")
				}
			}
			return v
		}
	}
	return unknown
}

// ofParts returns the URL of a scheme, a host and a path, among which a user and
// a port may stand: new URL("http", host, 80, path), new URI("http", host, path, null).
func (p *program) ofParts(args [][]token, fr frame) value {
	scheme := p.eval(args[0], fr.deeper())
	if scheme.s != "http" && scheme.s != "https" {
		return unknown
	}
	out := value{s: scheme.s + "://"}
	host := 1
	if len(args) == 7 {
		host = 2
	}
	out.add(p.eval(args[host], fr.deeper()))
	for _, arg := range args[host+1:] {
		if v := p.eval(arg, fr.deeper()); strings.Contains(v.s, "/") {
			out.s += "/"
			v.s = strings.TrimLeft(v.s, "/")
			out.add(v)
			break
		}
	}
	return out
}

// typed reports whether a name is that of a type that a Go program declares: it
// turns a string into one of another type.
func (p *program) typed(name string) bool {
	return p.lang == "go" && slices.Contains(p.facts.types(), name)
}

// wraps reports functions whose result names the same thing as their argument.
func wraps(name string) bool {
	switch name {
	case "URL", "URI", "Uri", "Url", "parse", "Parse", "create", "Create", "str", "String", "string", "to_string", "valueOf", "bytes", "encodeURI", "escape", "quote", "from", "StringBuilder", "StringBuffer",
		"UriBuilder", "fromUri", "fromUriString", "fromHttpUrl", "HttpUrl", "MustParse", "ParseRequestURI", "trim", "TrimRight", "TrimSuffix", "rtrim", "HttpGet", "Request", "RestRequest", "URIBuilder", "uri", "build", "File", "Some", "Ok", "heredoc", "dedent":
		return true
	}
	return false
}

// slashed joins the parts of a path.
func (p *program) slashed(args [][]token, fr frame) (out value) {
	if len(args) == 2 {
		if items := p.eval(args[0], fr.deeper()).items; items != nil { // strings.Join(list, separator)
			return p.list(items, p.eval(args[1], fr.deeper()).s, fr)
		}
	}
	for i, arg := range args {
		v := p.eval(arg, fr.deeper())
		if i > 0 {
			if _, ok := target(v.s); ok {
				out = value{}
			} else {
				out.s = strings.TrimRight(out.s, "/") + "/"
				v.s = strings.TrimLeft(v.s, "/")
			}
		}
		out.add(v)
	}
	return out
}

// declaredAs returns the function of a name, unless it takes fewer arguments:
// of several the one that takes as many.
func (p *program) declaredAs(name string, args int) *function {
	if all := p.named[name]; len(all) > 1 {
		if i := slices.IndexFunc(all, func(f *function) bool { return len(f.params) == args }); i >= 0 {
			return all[i]
		}
	}
	for _, f := range p.named[name] {
		if args <= len(f.params)+1 {
			return f
		}
	}
	return nil
}

// returned evaluates what a function returns for arguments.
func (p *program) returned(f *function, args [][]token, fr frame) value {
	inside := frame{f: f, bound: p.bind(f, args, fr), known: map[int]value{}, depth: fr.depth + 2}
	for i, t := range f.body {
		if t.kind == word && t.s == "return" {
			v := p.eval(f.body[i+1:max(i+1, p.expression(f.body, i+1))], inside)
			if _, ok := target(v.s); ok || len(v.fields) > 0 {
				return v
			}
		}
	}
	body := trimNewlines(f.body)
	if n := len(body); n > 0 && body[n-1].s == "end" {
		body = trimNewlines(body[:n-1])
	}
	start := 0
	for i, t := range body {
		if t.kind == newline {
			start = i + 1
		}
	}
	if at(body, start).s == "return" {
		return unknown
	}
	return p.eval(body[start:], inside)
}

// bind gives the parameters of a function their arguments.
func (p *program) bind(f *function, args [][]token, fr frame) map[string]value {
	bound := map[string]value{}
	for i, q := range f.params {
		if arg := named(args, q.name); arg != nil && p.first {
			bound[q.name] = p.eval(arg, fr.deeper())
		} else if arg := nth(args, i); arg != nil {
			if _, isField := fieldOf(trimNewlines(arg)); !isField || p.lang != "python" {
				bound[q.name] = p.eval(arg, fr.deeper())
			}
		}
	}
	return bound
}
