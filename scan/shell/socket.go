package shell

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// requestLine matches the start of a request that a script writes by itself.
var requestLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:^|["'\s])(GET|HEAD) (/[^\s"'\\]*)`) })

// sockets finds requests that are written by hand, to nc or /dev/tcp.
func (s *script) sockets() {
	if !strings.Contains(s.text.Body, "GET /") && !strings.Contains(s.text.Body, "HEAD /") {
		return
	}
	for _, c := range s.commands {
		if name := path.Base(c.call.Args[0].Lit()); name != "echo" && name != "printf" && name != "cat" {
			continue
		}
		fields := s.fieldsOf(c, nil)
		text := s.sent(c, fields)
		m := requestLine().FindStringSubmatch(text)
		if m == nil {
			continue
		}
		client, host := s.socketOf(c)
		target, ok := scan.FindTarget("http://" + host + m[2])
		if !ok {
			continue
		}
		r := &request{client: client, program: fields[0], method: m[1], target: target, command: c, at: span(c.call), raw: true}
		if mentionsToken(text) {
			r.headers = []field{{value: value{text: tokenHeader}}}
		}
		s.requests = append(s.requests, r)
	}
	slices.SortStableFunc(s.requests, func(a, b *request) int { return a.at.Start - b.at.Start })
}

// sent is what a command writes: its arguments, or the here document that it
// copies.
func (s *script) sent(c *command, fields []field) string {
	var words []string
	for _, f := range fields[1:] {
		words = append(words, f.text)
	}
	for _, r := range statement(c).Redirs {
		if r.Hdoc != nil {
			words = append(words, s.text.Body[offset(r.Hdoc):s.documentEnd(r)])
		}
	}
	return strings.Join(words, " ")
}

// socketOf returns what a command's output goes to, and its host.
func (s *script) socketOf(c *command) (client, host string) {
	_, fields := unwrap(s.next(c))
	if len(fields) > 1 {
		switch name := path.Base(fields[0].text); name {
		case "nc", "ncat", "netcat", "telnet", "socat":
			for _, f := range fields[1:] {
				if target, ok := scan.FindTarget(f.text); ok {
					return name, target.Host
				}
			}
		}
	}
	for _, n := range slices.Backward(c.path) {
		stmt, ok := n.(*syntax.Stmt)
		if !ok {
			continue
		}
		for _, r := range stmt.Redirs {
			if host := s.device(c, r); host != "" {
				return "/dev/tcp", host
			}
		}
	}
	return "", ""
}

// device returns the host of a redirection to /dev/tcp, or to a descriptor that
// was opened so.
func (s *script) device(c *command, r *syntax.Redirect) string {
	to := (scope{script: s, at: offset(r), in: c.in}).word(r.Word).text
	if target, ok := scan.FindTarget(strings.Replace(to, "/dev/tcp/", "http://", 1)); ok && strings.HasPrefix(to, "/dev/tcp/") {
		return target.Host
	}
	if r.Op != syntax.DplOut {
		return ""
	}
	for _, opener := range s.called["exec"] {
		for _, open := range statement(opener).Redirs {
			if open.Op != syntax.DplOut {
				if host := s.device(opener, open); host != "" {
					return host
				}
			}
		}
	}
	return ""
}
