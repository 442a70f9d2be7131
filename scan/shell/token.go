package shell

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// Lifetimes of tokens, in seconds: one for the next request, and the longest
// that there is.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
const (
	shortLife = 60
	longLife  = 21600
)

// A quoting is how a header is written.
type quoting int

const (
	double quoting = iota // "Name: value"
	bare                  // Name:value, where quotes would end others
)

func (q quoting) header(name, value string) string {
	if q == bare {
		return name + ":" + value
	}
	return `"` + name + ": " + value + `"`
}

// Header names as AWS's documentation writes them.
const (
	tokenName = "X-aws-ec2-metadata-token"
	ttlName   = "X-aws-ec2-metadata-token-ttl-seconds"
)

// quotings are the ways to write a request's header, the best first.
func (s *script) quotings(r *request) []quoting {
	if inQuotedBackticks(r.place().path) {
		return []quoting{bare}
	}
	return []quoting{double, bare}
}

// place is the command that a fix is put into.
func (r *request) place() *command {
	if r.body != nil && r.program.at.Start >= offset(r.body.call) && r.program.at.Start < span(r.body.call).End {
		return r.body
	}
	return r.command
}

// inQuotedBackticks reports whether a command is in backticks within double
// quotes, where shells disagree on what a double quote means.
func inQuotedBackticks(path []syntax.Node) bool {
	quoted := false
	for _, n := range path {
		switch n := n.(type) {
		case *syntax.DblQuoted:
			quoted = true
		case *syntax.CmdSubst:
			if n.Backquotes && quoted {
				return true
			}
		}
	}
	return false
}

// header is the change that lets a request send a token.
func (s *script) header(r *request, token string, q quoting) scan.Splice {
	at := r.options()
	text := " -H " + q.header(tokenName, token)
	if r.client == "wget" {
		text = " --header=" + q.header(tokenName, token)
	}
	return scan.Splice{At: scan.Span{Start: at, End: at}, Text: text}
}

// options is where a request's options may begin.
func (r *request) options() int {
	if r.first != nil && r.first.at.Start > r.program.at.Start {
		return r.first.at.End
	}
	return r.program.at.End
}

// inline are the changes that let a request ask for its token itself.
func (s *script) inline(r *request, q quoting) []scan.Splice {
	life := shortLife
	if slices.ContainsFunc(r.prefix, func(f field) bool { return s.repeats(path.Base(f.text)) }) {
		life = longLife
	}
	put := s.put(r, q, life)
	if s.traced(r.at.Start) {
		return s.untraced(r, put, q)
	}
	return []scan.Splice{s.header(r, "$("+put+")", q)}
}

// untraced is inline for a script that logs its commands with their arguments:
// the header comes through a pipe. Where there is no <(…), that is the
// request's own input.
func (s *script) untraced(r *request, put string, q quoting) []scan.Splice {
	header := put + " | sed s/^/" + tokenName + ":/"
	if q == double {
		header = put + ` | sed "s/^/` + tokenName + `: /"`
	}
	end := scan.Span{Start: r.options(), End: r.options()}
	if s.text.Lang != scan.Shell {
		return []scan.Splice{{At: end, Text: " -H @<(" + header + ")"}}
	}
	start := scan.Span{Start: r.program.at.Start, End: r.program.at.Start}
	return []scan.Splice{{At: start, Text: header + " | "}, {At: end, Text: " -H @-"}}
}

// free reports whether nothing is fed into a request so far.
func (s *script) free(r *request) bool {
	c := r.place()
	if len(r.prefix) > 0 || len(c.call.Assigns) > 0 || r.program.at.Start != offset(c.call) || strings.Contains(s.text.Body, "pipefail") {
		return false
	}
	for i, n := range c.path {
		if pipe, ok := n.(*syntax.BinaryCmd); ok && (pipe.Op == syntax.Pipe || pipe.Op == syntax.PipeAll) && c.path[i+1] == syntax.Node(pipe.Y) {
			return false
		}
	}
	return !slices.ContainsFunc(statement(c).Redirs, func(r *syntax.Redirect) bool {
		return r.Op == syntax.RdrIn || r.Op == syntax.Hdoc || r.Op == syntax.DashHdoc || r.Op == syntax.WordHdoc || r.Op == syntax.DplIn
	})
}

// put is the command that asks for a token, with the bounds that the request
// has. It never goes without: from behind too many routers a token is asked for
// in vain, and no answer comes.
func (s *script) put(r *request, q quoting, life int) string {
	ttl := q.header(ttlName, strconv.Itoa(life))
	words := s.before(r)
	if r.client == "wget" {
		words = append(words, s.programName(r), "-qO-")
		words = append(words, s.kept(r)...)
		if !r.keeps("-T", "--timeout", "--read-timeout") {
			words = append(words, "--timeout=3")
		}
		if !r.keeps("-t", "--tries") {
			words = append(words, "--tries=1")
		}
		words = append(words, "--method=PUT", "--header="+ttl)
	} else {
		words = append(words, s.programName(r))
		if r.first != nil {
			words = append(words, "-q")
		}
		words = append(words, "-sf")
		words = append(words, s.kept(r)...)
		if !r.keeps("-m", "--max-time") {
			words = append(words, "-m 3")
		}
		words = append(words, "-X PUT", "-H "+ttl)
	}
	return strings.Join(append(words, s.tokenURL(r, q)), " ")
}

// keeps reports whether a request has one of some options.
func (r *request) keeps(names ...string) bool {
	return slices.ContainsFunc(r.keep, func(k kept) bool { return slices.Contains(names, k.name) })
}

// before are the assignments and programs that the token request stands behind,
// as the request does.
func (s *script) before(r *request) (words []string) {
	for _, a := range r.place().call.Assigns {
		words = append(words, s.text.Body[offset(a):span(a).End])
	}
	for rest := r.prefix; len(rest) > 0; {
		n := max(1, wrapper(rest))
		name := path.Base(rest[0].text)
		if s.functions[name] != nil || s.repeats(name) {
			n = len(rest)
		}
		if limits(name) || s.repeats(name) {
			words = append(words, s.text.Body[rest[0].at.Start:rest[n-1].at.End])
		}
		rest = rest[n:]
	}
	return words
}

// programName is the client's name as the script says it.
func (s *script) programName(r *request) string {
	if written := s.text.Body[r.program.at.Start:r.program.at.End]; written == r.program.text {
		return written
	}
	if plainWord().MatchString(r.program.text) {
		return r.program.text
	}
	return r.client
}

var plainWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_./:,@+-]+$`) })

// kept are the options that the token request takes over: bounds of time, tries,
// proxies.
func (s *script) kept(r *request) (words []string) {
	for _, k := range r.keep {
		switch value, ok := s.source(k); {
		case !ok:
		case value == "":
			words = append(words, k.name)
		case r.client == "wget" && strings.HasPrefix(k.name, "--"):
			words = append(words, k.name+"="+value)
		default:
			words = append(words, k.name+" "+value)
		}
	}
	return words
}

// source is how the script writes an option's value. It is not ok if that can't
// be repeated.
func (s *script) source(k kept) (string, bool) {
	if k.value == nil {
		return "", true
	}
	text := k.value.text
	if k.value.word != nil && span(k.value.word) == k.value.at {
		text = s.text.Body[k.value.at.Start:k.value.at.End]
	} else if written := s.text.Body[k.value.at.Start:k.value.at.End]; strings.Contains(text, scan.Unknown) {
		_, after, ok := strings.Cut(written, k.name)
		if !ok {
			return "", false
		}
		text = strings.TrimPrefix(after, "=")
	} else if !plainWord().MatchString(text) {
		text = `"` + escape(text, "$`\"\\") + `"`
	}
	return text, !strings.ContainsAny(text, "%\n")
}

// tokenURL is where the token is asked for: the host that the request has, by
// the same variable if whoever runs the script can set it.
func (s *script) tokenURL(r *request, q quoting) string {
	if r.url.settable && r.url.word != nil {
		if base, ok := s.settableBase(r); ok {
			if q == bare {
				return base + scan.TokenPath
			}
			return `"` + base + scan.TokenPath + `"`
		}
	}
	i := strings.Index(r.url.text, r.target.Host)
	end := i + len(r.target.Host)
	if rest := r.url.text[end:]; strings.HasPrefix(rest, "]") {
		end++
	}
	if rest := r.url.text[end:]; strings.HasPrefix(rest, ":80/") || rest == ":80" {
		end += len(":80")
	}
	base := r.url.text[:end]
	if !strings.HasPrefix(base, "http://") {
		base = "http://" + strings.TrimPrefix(base[i:], "[")
	}
	return base + scan.TokenPath
}

// settableBase is the expansion at the start of a URL that stands for its
// scheme and host.
func (s *script) settableBase(r *request) (string, bool) {
	parts := r.url.word.Parts
	if q, ok := parts[0].(*syntax.DblQuoted); ok && len(parts) == 1 {
		parts = q.Parts
	}
	source, sc := "", scope{script: s, at: r.at.Start, in: r.command.in}
	for i, p := range parts {
		if i == 0 {
			if lit, ok := p.(*syntax.Lit); ok && lit.Value == "http://" {
				source = lit.Value
				continue
			}
		}
		p, ok := p.(*syntax.ParamExp)
		if !ok {
			break
		}
		text := strings.TrimPrefix(source+sc.parameter(p).text, "http://")
		at := span(p)
		return source + s.text.Body[at.Start:at.End], text == r.target.Host
	}
	return "", false
}

// inlineEscaped is inline for a command that stands in a string so far. In
// backticks there no double quotes may be.
func (s *script) inlineEscaped(r *request) scan.Splice {
	q := double
	if s.text.Body[r.program.at.Start-1] == '`' {
		q = bare
	}
	r.command = &command{call: &syntax.CallExpr{}}
	return s.header(r, "$("+s.put(r, q, shortLife)+")", q)
}
