package code

import (
	"slices"
	"strings"
	"unicode"

	"tegata/scan"
)

// A request is a call that asks a metadata service, as far as is known.
type request struct {
	*call
	shape  shape
	target scan.Target
	url    value
	direct bool      // the URL is written in the call
	via    *function // the wrapper that asks for what its callers give it
	ways   []way     // how its callers lead to it
	client string    // what asks: requests.get, curl
	maybe  bool      // nobody here knows what is called

	library  bool // the client asks on its own
	optional bool // nothing but the header tells whom it asks
}

// A way is how a caller leads to a request: its call, and those within, from
// outside; and what it asks for.
type way struct {
	calls  []*call
	target scan.Target
}

// requests finds what asks for a metadata service.
func (p *program) requests() []*request {
	var out []*request
	names := p.carries()
	reach := p.reach(names)
	for _, c := range p.calls {
		if r := p.library(c); r != nil {
			out = append(out, r)
			continue
		}
		if !reach.of(c, p, names) {
			if r := p.optional(c); r != nil {
				out = append(out, r)
			}
			continue
		}
		if r := p.request(c, frame{}); r != nil {
			out = append(out, r)
		} else if inside := p.wrapped(c, frame{}); inside != nil {
			out = p.merge(out, inside)
		} else if r := p.guessed(c, frame{}); r != nil {
			out = append(out, r)
		} else if r := p.optional(c); r != nil {
			out = append(out, r)
		}
	}
	if p.test() {
		out = slices.DeleteFunc(out, func(r *request) bool { return r.target.Host == scan.Unknown })
	}
	return p.once(out)
}

// optional reads a request whose URL is not in the file, but that has the header
// of session tokens if there is one: nothing else is asked like that.
func (p *program) optional(c *call) *request {
	if p.file() != session || p.test() || p.ownMethod(c) || p.puts(c) {
		return nil
	}
	all := p.shapesOf(c)
	if len(all) == 0 && sending(c.last()) && named(c.args, "url") != nil {
		all = []shape{{callee: c.name}}
	}
	for _, s := range all {
		if s.role != asks && s.role != builds {
			continue
		}
		url := p.url(c, s, frame{})
		if url.s != "" && !strings.HasPrefix(url.s, scan.Unknown) || p.headed(c, nil) != fallback {
			return nil
		}
		return &request{call: c, shape: s, target: scan.Target{Path: strings.TrimPrefix(url.s, scan.Unknown), Whose: scan.AWS}, client: c.name, optional: true}
	}
	return nil
}

// puts reports whether a call is one for a token.
func (p *program) puts(c *call) bool {
	if strings.Contains(strings.ToLower(c.name), "put") {
		return true
	}
	for _, t := range c.whole {
		if strings.EqualFold(t.value(), "put") || strings.EqualFold(t.value(), "MethodPut") {
			return true
		}
	}
	return false
}

// merge adds requests of wrappers to others: what asks is counted once, however
// many callers it has.
func (p *program) merge(all, inside []*request) []*request {
	for _, r := range inside {
		i := slices.IndexFunc(all, func(o *request) bool { return o.call == r.call && o.via != nil })
		if i < 0 {
			all = append(all, r)
			continue
		}
		if t := all[i].target; t.Token() || t.Whose == scan.Other {
			all[i].target, all[i].url = r.target, r.url
		}
		all[i].ways = append(all[i].ways, r.ways...)
	}
	return all
}

// library reads the calls of libraries that ask without a token whatever they
// are given: boto, which boto3 took the place of.
//
// Source: https://github.com/boto/boto/blob/develop/boto/utils.py
func (p *program) library(c *call) *request {
	if p.lang != "python" || !strings.HasPrefix(c.last(), "get_instance_") || p.ownMethod(c) || !strings.Contains(p.t.Body, "boto.utils") {
		return nil
	}
	path := map[string]string{"get_instance_metadata": "/latest/meta-data/", "get_instance_identity": "/latest/dynamic/instance-identity/", "get_instance_userdata": "/latest/user-data"}[c.last()]
	if path == "" {
		return nil
	}
	return &request{call: c, target: scan.Target{Host: "169.254.169.254", Path: path, Whose: scan.AWS}, client: "boto.utils." + c.last(), library: true}
}

// request reads a call that has the shape of a request.
func (p *program) request(c *call, fr frame) *request {
	if p.ownMethod(c) {
		return nil
	}
	for _, s := range p.shapesOf(c) {
		var url value
		switch s.role {
		case asks, builds:
			url = p.url(c, s, fr)
		case runs:
			url = p.argv(c, s, fr)
		default:
			continue
		}
		if t, ok := target(url.s); ok {
			r := &request{call: c, shape: s, target: t, url: url, client: c.name}
			r.direct = written(c.own)
			if s.role == runs {
				r.client = p.commandName(c, s, fr)
			}
			return r
		}
	}
	return nil
}

// ownMethod reports whether a call is one of a function of the program, whatever
// client has a method of that name.
func (p *program) ownMethod(c *call) bool {
	f := p.declaredAs(c.last(), len(c.args))
	if f == nil || f == c.in && len(f.params) != len(c.args) {
		return false
	}
	switch len(c.receiver) {
	case 0:
		return at(c.own, 0).s != "new"
	case 1:
		return c.receiver[0].s == "this" || c.receiver[0].s == "self"
	}
	return false
}

// written reports whether tokens have the whole of a URL in one string.
func written(ts []token) bool {
	for _, t := range ts {
		if t.kind != text {
			continue
		}
		if found, ok := target(t.decoded()); ok && found.Whose == scan.AWS && !strings.HasPrefix(found.Path, "/"+scan.Unknown) {
			return true
		}
	}
	return false
}

// url returns what a call asks for.
func (p *program) url(c *call, s shape, fr frame) value {
	if s.arg == receiver {
		return p.eval(c.receiver, fr)
	}
	arg := p.argument(c, s)
	v := unknown
	if _, isField := fieldOf(trimNewlines(arg)); isField {
		v.s = "" // client.get(path: …)
	} else if arg != nil {
		v = p.eval(arg, fr)
	} else if len(c.args) == 0 {
		v.s = "" // client.at(url).get()
	}
	options := fields(c.args)
	if len(v.fields) > 0 {
		options = append(options, v.fields...)
	}
	for i := s.arg + 1; i < len(c.args) && len(options) == 0; i++ {
		options = append(options, p.eval(c.args[i], fr).fields...)
	}
	if w := p.fromOptions(options, v, fr); w.s != scan.Unknown {
		v = w
	}
	if t, ok := target(v.s); ok {
		if strings.Trim(t.Path, "/") == "" && !strings.Contains(v.s, "://") {
			if path := nth(c.args, s.arg+1); path != nil {
				if w := p.eval(path, fr); strings.HasPrefix(w.s, "/") {
					v.s = strings.TrimRight(v.s, "/")
					v.add(w)
				}
			}
		}
		return v
	}
	return p.based(c, v, fr)
}

// argument returns the argument that holds the URL.
func (p *program) argument(c *call, s shape) []token {
	for _, name := range []string{"url", "uri", "requestUri", "RequestUri", "fullurl"} {
		if arg := named(c.args, name); arg != nil {
			return arg
		}
	}
	return nth(c.args, s.arg)
}

// fromOptions returns the URL that an object of options makes.
func (p *program) fromOptions(options []field, v value, fr frame) value {
	var host, path value
	for _, f := range options {
		switch strings.ToLower(f.name) {
		case "url", "uri", "curlopt_url":
			if w := p.eval(f.value, fr.deeper()); w.s != scan.Unknown {
				if len(w.fields) > 0 {
					return p.fromOptions(w.fields, w, fr.deeper())
				}
				path = w
			}
		case "host", "hostname", "baseurl", "base_url", "base_uri", "prefixurl", "baseaddress", "authority":
			host = p.eval(f.value, fr.deeper())
		case "path", "pathname":
			path = p.eval(f.value, fr.deeper())
		}
	}
	if _, ok := target(path.s); ok {
		return path
	}
	if (host.s == "" || host.s == scan.Unknown) && v.s == "" && path.s != "" {
		return path // of a client that has a host
	}
	if host.s == "" || host.s == scan.Unknown {
		return unknown
	}
	if path.s == "" && strings.HasPrefix(v.s, "/") {
		path = v
	}
	if path.s != "" {
		host.s = strings.TrimRight(host.s, "/")
		if !strings.HasPrefix(path.s, "/") {
			host.s += "/"
		}
		host.add(path)
	}
	return host
}

// based returns the URL of a path that a client with a host is asked for.
func (p *program) based(c *call, v value, fr frame) value {
	if len(c.receiver) == 0 || strings.Contains(v.s, "://") {
		return unknown
	}
	host := p.host(c.receiver, fr, 0)
	if host.s == scan.Unknown || host.s == "" {
		return unknown
	}
	if _, ok := target(host.s); !ok {
		return unknown
	}
	if v.s != "" {
		host.s = strings.TrimRight(host.s, "/")
		if !strings.HasPrefix(v.s, "/") {
			host.s += "/"
		}
	}
	host.add(v)
	return host
}

// host returns what a client was made for: HTTPConnection(host), or the block
// parameter of Net::HTTP.start(host).
func (p *program) host(receiver []token, fr frame, depth int) value {
	if p.steps += len(p.calls); depth > 3 || p.steps > budget {
		return unknown
	}
	for _, c := range p.calls {
		if c.at.Start < receiver[0].at.Start || c.at.End > receiver[len(receiver)-1].at.End {
			continue
		}
		if v := p.connection(c, fr); v.s != scan.Unknown {
			return v
		}
	}
	last := receiver[len(receiver)-1]
	if last.kind != word {
		return unknown
	}
	f := p.function(last.at.Start)
	for _, a := range nearest(p.sets[last.s], last.at.Start) {
		if a.key || len(a.value) == 0 || within(a.value, last.at.Start) || a.in != nil && a.in != f && !a.member && (f == nil || f.outer != a.in) {
			continue
		}
		if v := p.host(a.value, fr, depth+1); v.s != scan.Unknown {
			return v
		}
	}
	if v := p.baseSet(last.s, fr); v.s != scan.Unknown {
		return v
	}
	return p.made(last, fr, depth)
}

// baseSet returns the host that a statement gives a client:
// client.BaseAddress = new Uri(…).
func (p *program) baseSet(client string, fr frame) value {
	for _, property := range bases {
		for _, a := range p.sets[property] {
			if a.member && p.objectOf(a) == client {
				return p.eval(a.value, fr.deeper())
			}
		}
	}
	return unknown
}

// bases are the properties of clients that hold the beginning of all URLs.
var bases = [...]string{"BaseAddress", "BaseUrl", "baseURL", "base_uri", "base_url"}

// objectOf returns the name of what the name that is set is a member of.
func (p *program) objectOf(a assignment) string {
	before := strings.TrimSuffix(p.t.Body[:a.at], ".")
	return before[strings.LastIndexFunc(before, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })+1:]
}

// nearest returns assignments as they count at an offset: those before it from
// the last one back, then those after it of functions without one before.
func nearest(all []assignment, offset int) (out []assignment) {
	earlier := map[*function]bool{}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].at < offset {
			out, earlier[all[i].in] = append(out, all[i]), true
		}
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].at >= offset && !earlier[all[i].in] {
			out = append(out, all[i])
		}
	}
	return out
}

// made returns the host of the client that a method without arguments makes, or
// that another function has set.
func (p *program) made(name token, fr frame, depth int) value {
	if f := p.declaredAs(name.s, 0); f != nil && len(f.params) == 0 && len(f.body) > 0 {
		if v := p.host(f.body, fr, depth+1); v.s != scan.Unknown {
			return v
		}
	}
	for _, a := range p.sets[name.s] {
		if a.in == nil || a.in == p.function(name.at.Start) || a.key || len(a.value) == 0 || within(a.value, name.at.Start) {
			continue
		}
		if v := p.host(a.value, fr, depth+1); v.s != scan.Unknown {
			return v
		}
	}
	return unknown
}

// connection returns the host of a call that makes a client.
func (p *program) connection(c *call, fr frame) value {
	for _, s := range p.shapesOf(c) {
		if s.role != connects {
			continue
		}
		v := unknown
		if arg := nth(c.args, s.arg); arg != nil {
			if _, isField := fieldOf(trimNewlines(arg)); !isField {
				v = p.eval(arg, fr)
			}
		}
		if w := p.fromOptions(append(fields(c.args), v.fields...), value{}, fr); w.s != scan.Unknown {
			return w
		}
		return v
	}
	return unknown
}

// argv returns the URL that a command is given as one of its arguments.
func (p *program) argv(c *call, s shape, fr frame) value {
	if s.arg == receiver {
		return unknown
	}
	words := p.words(c, s, fr)
	if len(words) < 2 || !isClient(words[0].s) {
		return unknown
	}
	for _, w := range words[1:] {
		if _, ok := target(w.s); ok {
			return w
		}
		for _, field := range strings.Fields(w.s) {
			if _, ok := target(strings.Trim(field, `"'`)); ok && p.lang == "csharp" && !knowsTokens(w.s) {
				w.s = strings.Trim(field, `"'`)
				return w
			}
		}
	}
	return unknown
}

// words returns the command line that a call gives as a list.
func (p *program) words(c *call, s shape, fr frame) (out []value) {
	for i := s.arg; i < len(c.args); i++ {
		v := p.eval(c.args[i], fr)
		if v.items == nil {
			out = append(out, v)
			continue
		}
		for _, item := range v.items {
			out = append(out, p.eval(item, fr))
		}
	}
	return out
}

func (p *program) commandName(c *call, s shape, fr frame) string {
	name := p.words(c, s, fr)[0].s
	return name[strings.LastIndexByte(name, '/')+1:]
}

// isClient reports the commands that ask for URLs.
func isClient(name string) bool {
	switch name[strings.LastIndexByte(name, '/')+1:] {
	case "curl", "wget", "curl.exe", "http", "aria2c", "fetch", "lynx":
		return true
	}
	return false
}

// wrapped returns what asks, in a function of the file that a call gives a URL.
func (p *program) wrapped(c *call, fr frame) (out []*request) {
	if fr.depth > 6 || len(c.args) == 0 {
		return nil
	}
	f := p.declaredAs(c.last(), len(c.args))
	if f == nil || len(f.params) == 0 || c.in == f {
		return nil
	}
	bound := p.bind(f, c.args, fr)
	if !leads(bound) {
		return nil
	}
	inside := frame{f: f, bound: bound, known: map[int]value{}, depth: fr.depth + 2}
	for _, inner := range p.inside[f] {
		if p.asksAnyway(inner) {
			continue
		}
		for _, r := range p.askers(inner, inside) {
			calls := append([]*call{c}, r.ways[0].calls...)
			out = append(out, &request{call: r.call, shape: r.shape, target: r.target, url: r.url, via: p.function(r.at.Start), ways: []way{{calls, r.target}}, client: r.client, maybe: r.maybe})
		}
	}
	return out
}

// asksAnyway reports whether a call asks whatever its function is given.
func (p *program) asksAnyway(c *call) bool {
	r := p.request(c, frame{})
	if r == nil {
		r = p.guessed(c, frame{})
	}
	return r != nil && r.target.Host != scan.Unknown
}

// askers returns what asks when a function makes a call.
func (p *program) askers(c *call, fr frame) []*request {
	r := p.request(c, fr)
	if r == nil {
		if deeper := p.wrapped(c, fr); deeper != nil {
			return deeper
		}
		r = p.guessed(c, fr)
	}
	if r == nil {
		return nil
	}
	r.ways = []way{{[]*call{c}, r.target}}
	return []*request{r}
}

// leads reports whether an argument may lead to a metadata service.
func leads(bound map[string]value) bool {
	for _, v := range bound {
		if _, ok := target(v.s); ok {
			return true
		}
		if _, ok := target(scan.Unknown + v.s); ok {
			return true // a path of a host that the function knows
		}
	}
	return false
}

// guessed reads the call of a function that is not in the file.
func (p *program) guessed(c *call, fr frame) *request {
	if len(c.args) == 0 || p.declaredAs(c.last(), len(c.args)) != nil || !asking(c.last()) || standIn().MatchString(p.t.Path) {
		return nil
	}
	if fr.f != nil && !sending(c.last()) {
		return nil
	}
	if p.chosen(c.last()) || p.typed(c.last()) {
		return nil
	}
	for _, t := range c.own {
		if t.kind == word && standIn().MatchString(t.s) {
			return nil
		}
		if (t.kind == word || t.kind == text) && strings.Contains(strings.ToLower(t.value()), "token") && !p.choice(c.own) {
			return nil
		}
	}
	for _, arg := range c.args {
		if f, ok := fieldOf(trimNewlines(arg)); ok {
			arg = f.value
		}
		v := p.eval(arg, fr)
		if w := p.fromOptions(v.fields, v, fr); w.s != scan.Unknown {
			v = w
		}
		if t, ok := target(v.s); ok && strings.Contains(v.s, "/") && t.Whose == scan.AWS {
			return &request{call: c, target: t, url: v, client: c.name, maybe: true}
		}
	}
	return nil
}

// chosen reports whether a name is set to a function of the file.
func (p *program) chosen(name string) bool {
	return slices.ContainsFunc(p.sets[name], func(a assignment) bool {
		return !a.key && len(a.value) == 1 && len(p.named[a.value[0].s]) > 0
	})
}

// asking reports whether a name sounds like one that asks for a URL.
func asking(name string) bool {
	name = strings.ToLower(name)
	for _, no := range []string{"valid", "safe", "block", "allow", "deny", "mock", "stub", "test", "expect", "assert", "match", "is_", "log", "print", "token", "imdsv2", "v2", "parse", "error", "check", "equal", "register", "setenv", "redirect", "target", "forget", "widget"} {
		if strings.Contains(name, no) {
			return false
		}
	}
	for _, yes := range []string{"get", "fetch", "request", "curl", "download", "readurl", "read_url", "openurl", "open_url", "retrieve", "query", "httpget", "wget", "metadata", "call"} {
		if strings.Contains(name, yes) {
			return true
		}
	}
	return false
}

// sending reports whether a name leaves no doubt that it asks for a URL.
func sending(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "request") || strings.Contains(name, "fetch") || strings.Contains(name, "http") || strings.Contains(name, "curl") || strings.Contains(name, "download")
}

// once leaves out what another request contains, and what sends a request that
// was built before.
func (p *program) once(all []*request) (out []*request) {
	for _, r := range all {
		if !p.repeated(r, all) {
			out = append(out, r)
		}
	}
	return p.blocks(out)
}

func (p *program) repeated(r *request, all []*request) bool {
	for _, other := range all {
		if other.call == r.call {
			if r.via == nil && other.via != nil {
				return true // its callers know more
			}
			continue
		}
		contains := other.at.Start <= r.at.Start && r.at.End <= other.at.End && other.at != r.at
		same := other.at == r.at && other.shape.role < r.shape.role
		if contains && !r.maybe && (r.in == other.in) && !other.maybe && !p.nestedBody(r, other) || same {
			return true
		}
		if r.maybe && (contains || other.at.Start >= r.at.Start && other.at.End <= r.at.End) {
			return true
		}
		if other.shape.role == builds && r.via == nil && other.at.Start < r.at.Start && p.sends(r.call, other.call) {
			return true
		}
		if r.optional && p.handedTo(other, r) {
			return true
		}
	}
	return r.via != nil && !slices.ContainsFunc(r.ways, func(w way) bool { return !p.passedOn(w.calls, all) })
}

// passedOn reports whether what calls lead to is nothing but a request that one
// of them was given.
func (p *program) passedOn(calls []*call, all []*request) bool {
	for _, c := range calls {
		for _, built := range all {
			if built.shape.role == builds && built.at.Start < c.at.Start && p.sends(c, built.call) {
				return true
			}
		}
	}
	return false
}

// handedTo reports whether a function that asks is given what another has built.
func (p *program) handedTo(asker, built *request) bool {
	if asker.in == nil || asker.in == built.in {
		return false
	}
	return slices.ContainsFunc(p.inside[built.in], func(c *call) bool {
		return c.last() == asker.in.name && p.sends(c, built.call)
	})
}

// nestedBody reports whether an inner request stands in a function that the
// outer one is given, not in the URL or the options.
func (p *program) nestedBody(inner, outer *request) bool {
	for i, t := range outer.own {
		if is(t, "{") && t.jump > 0 && i > 0 && (is(outer.own[i-1], ")", "=>", "|") || p.lang == "ruby") {
			if end := past(outer.own, i) - 1; inner.at.Start > t.at.Start && inner.at.End <= outer.own[end].at.End {
				return true
			}
		}
	}
	return false
}

// sends reports whether a call only sends, or goes on with, what another built.
func (p *program) sends(r, built *call) bool {
	if built.in != r.in && !(r.in != nil && r.in.outer == built.in) {
		return false
	}
	var names []token
	for _, t := range r.own {
		if t.kind == word {
			names = append(names, t)
		}
	}
	for _, t := range names {
		for _, a := range p.sets[t.s] {
			if !a.key && a.at < t.at.Start && within(a.value, built.at.Start) {
				return true
			}
		}
	}
	return false
}

// blocks counts the one request within a block where the block begins:
// Net::HTTP.start(host) { |http| http.get(path) }.
func (p *program) blocks(all []*request) []*request {
	for _, r := range all {
		for _, a := range p.sets[at(r.receiver, 0).s] {
			if !a.block || a.in != r.in || len(a.value) == 0 || a.at > r.at.Start || p.sharing(a, all) > 1 {
				continue
			}
			if p.host(a.value, frame{}, 0).s != scan.Unknown {
				r.at.Start = a.value[0].at.Start
			}
		}
	}
	return all
}

// sharing counts the requests that begin with the parameter of a block.
func (p *program) sharing(a assignment, all []*request) (n int) {
	for _, r := range all {
		first := at(r.receiver, 0)
		for _, b := range p.sets[first.s] {
			if b.at == a.at && a.at < first.at.Start {
				n++
			}
		}
	}
	return n
}
