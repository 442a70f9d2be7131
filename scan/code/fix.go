package code

import (
	"strings"

	"tegata/scan"
)

const (
	whyLanguage = "this language is not rewritten yet: ask for a token first"
	whyLibrary  = "this library never asks for a token: boto3 does"
	whyFallback = "it asks without a token only where there is none: take that branch out"
	whyWrapper  = "it asks for what its callers give it: ask for a token in this function"
	whyHost     = "which host it asks is decided at run time: ask that one for a token first"
	whyHeaders  = "its headers are set elsewhere: add the token there"
	whyWhose    = "whose metadata service this asks is not known here"
	whyWritten  = "no form of the token can be written where this stands"
)

// fix returns what gives a request its token. Only straight calls of Python's
// requests are rewritten: the token is asked for within the header, so that the
// call stays one expression.
func (p *program) fix(r *request, id string) ([]scan.Splice, string) {
	switch {
	case id == "TG1002":
		return nil, whyFallback
	case r.via != nil:
		return nil, whyWrapper
	case r.target.Whose != scan.AWS || r.maybe:
		return nil, whyWhose
	case p.lang != "python" || r.name != "requests.get":
		return nil, whyLanguage
	case r.url.chosen:
		return nil, whyHost
	}
	at, before, after, ok := p.place(r)
	if !ok {
		return nil, whyHeaders
	}
	for _, quote := range p.quotes(r) {
		splice := scan.Splice{At: at, Text: before + p.header(r, quote) + after}
		if _, err := p.t.Edit(splice); err == nil {
			return []scan.Splice{splice}, ""
		}
	}
	return nil, whyWritten
}

// place returns where the header goes: into a literal of headers, or after the
// last argument.
func (p *program) place(r *request) (at scan.Span, before, after string, ok bool) {
	for _, arg := range r.args {
		arg = trimNewlines(arg)
		if len(arg) == 0 || is(arg[0], "*") { // *args, **kwargs
			return at, "", "", false
		}
		f, ok := fieldOf(arg)
		if !ok || f.name != "headers" {
			continue
		}
		if !is(f.value[0], "{") {
			return at, "", "", false
		}
		end := f.value[0].at.End
		return scan.Span{Start: end, End: end}, "", ", ", true
	}
	last := trimNewlines(r.args[len(r.args)-1])
	end := last[len(last)-1].at.End
	return scan.Span{Start: end, End: end}, ", headers={", "}", true
}

// quotes returns the quotes that may stand where a request does: in an f-string
// not those around it.
func (p *program) quotes(r *request) []string {
	if i := strings.LastIndexByte(p.t.Body[:r.at.Start], '\n'); len(r.list) > 0 && len(p.tokens) > 0 && &r.list[0] != &p.tokens[0] {
		if line := p.t.Body[i+1 : r.at.Start]; strings.Contains(line, `"`) {
			return []string{"'"}
		}
		return []string{`"`}
	}
	return []string{`"`, "'"}
}

// header writes the header with a request for the token, which takes over what
// concerns the connection.
func (p *program) header(r *request, quote string) string {
	host := r.target.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	q := func(s string) string { return quote + s + quote }
	ask := "requests.put(" + q("http://"+host+scan.TokenPath) + ", headers={" + q("X-aws-ec2-metadata-token-ttl-seconds") + ": " + q("60") + "}"
	for _, name := range []string{"timeout", "proxies"} {
		if value := named(r.args, name); len(value) > 0 {
			ask += ", " + name + "=" + p.t.Body[value[0].at.Start:value[len(value)-1].at.End]
		}
	}
	return q("X-aws-ec2-metadata-token") + ": " + ask + ").text"
}
