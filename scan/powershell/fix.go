package powershell

import (
	"strings"

	"tegata/scan"
)

const (
	whyFallback = "it asks without a token only where there is none: take that branch out"
	whyMethod   = "this client is not rewritten yet: give it the token in a header"
	whyCurl     = "whether curl and wget are aliases or programs is not known here: write Invoke-RestMethod or curl.exe"
	whyWrapper  = "the function asks: rewrite it there"
	whyWhose    = "whose metadata service this asks is not known here"
	whyWritten  = "no form of the token can be written where this stands"
	whyHeaders  = "its headers are set elsewhere: add the token there"
)

// fix returns what gives a request its token: in one expression, so that it
// stays one where it stands, and loops ask anew.
func (s *script) fix(r *request, id string) ([]scan.Splice, string) {
	switch {
	case id == "TG1002":
		return nil, whyFallback
	case r.via != nil:
		return nil, whyWrapper
	case r.target.Whose != scan.AWS:
		return nil, whyWhose
	case r.command == nil:
		return nil, whyMethod
	case !s.alias(r.command):
		return nil, whyCurl
	}
	at, before, after, ok := s.place(r)
	if !ok {
		return nil, whyHeaders
	}
	for _, quote := range []string{"'", `"`} {
		splice := scan.Splice{At: at, Text: before + s.header(r, quote) + after}
		if _, err := s.t.Edit(splice); err == nil {
			return []scan.Splice{splice}, ""
		}
	}
	return nil, whyWritten
}

// alias reports whether a command is one of PowerShell's own.
func (s *script) alias(c *command) bool {
	switch c.name {
	case "curl", "wget":
		for _, p := range c.params {
			if p.name == "uri" || p.name == "usebasicparsing" {
				return true
			}
		}
		return false
	}
	return c.name != "start-bitstransfer" && !strings.HasSuffix(c.name, ".exe")
}

// place returns where the header goes: into the headers that are there, into
// the table of parameters, or after the name of the command.
func (s *script) place(r *request) (at scan.Span, before, after string, ok bool) {
	c := r.command
	for _, p := range c.params {
		if strings.HasPrefix("headers", p.name) && (len(p.name) > 1 || p.name == "h") {
			if len(p.value) > 0 && is(p.value[0], "{") {
				return after1(p.value[0]), "", "; ", true
			}
			return at, "", "", false
		}
	}
	if len(c.splats) == 0 {
		head := c.list[c.head].at.End
		return scan.Span{Start: head, End: head}, " -Headers @{", "}", true
	}
	table := s.lookup(token{kind: variable, s: c.splats[0].s, at: c.splats[0].at}, frame{}).table
	if len(trimLines(table)) == 0 {
		return at, "", "", false
	}
	if headers := s.entry(table, "headers"); headers != nil {
		if is(headers[0], "{") {
			return after1(headers[0]), "", "; ", true
		}
		return at, "", "", false
	}
	if v := s.splatted(c.splats[0], "headers", frame{}); v.s != scan.Unknown || v.table != nil {
		return at, "", "", false
	}
	start := trimLines(table)[0].at.Start
	return scan.Span{Start: start, End: start}, "Headers = @{", "}; ", true
}

// after1 is right after a token.
func after1(t token) scan.Span { return scan.Span{Start: t.at.End, End: t.at.End} }

// header writes the header with a request for the token, which takes over the
// time-out and what else concerns the connection.
func (s *script) header(r *request, quote string) string {
	host := r.target.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	ask := "Invoke-RestMethod"
	for _, p := range r.command.params {
		switch p.name {
		case "timeoutsec":
			if len(p.value) > 0 {
				ask += " -TimeoutSec " + s.t.Body[p.value[0].at.Start:p.value[len(p.value)-1].at.End]
			}
		case "usebasicparsing":
			ask += " -UseBasicParsing"
		case "noproxy":
			ask += " -NoProxy"
		}
	}
	q := func(text string) string { return quote + text + quote }
	return q("X-aws-ec2-metadata-token") + " = (" + ask + " -Method Put -Uri " + q("http://"+host+scan.TokenPath) +
		" -Headers @{" + q("X-aws-ec2-metadata-token-ttl-seconds") + " = " + q("60") + "})"
}
